"""`plainsky publish feeds`: look, compare, check, and then write; each step is a function, and only `carry_out` writes."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from feedgen.feed import Feed
from feedgen.service import COLLECTION
from plainsky.config.errors import ConfigErrors, Problem, shown
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.publishing import images
from plainsky.publishing.checks import Check, checked
from plainsky.publishing.comparing import Change, Plan, plan
from plainsky.publishing.facets import handles
from plainsky.publishing.images import Image
from plainsky.publishing.records import avatar_cid, decided, known_dids
from plainsky.publishing.repo import NoAccount, Repo, Standing, locate, resolve_handle

PASSWORD = "PLAINSKY_PUBLISHER_PASSWORD"  # noqa: S105 - the name of a variable, not its value

NO_PUBLISHER = """\
[service] publisher: feeds stand in the profile of an account, and {did} is none: {why}.
  1. Take an account for them in the Bluesky app, yours or a new one.
  2. Look up its DID (put its handle at the end):
     {resolver}/xrpc/com.atproto.identity.resolveHandle?handle=
  3. Write it below [service] in the config:
     publisher = "did:plc:..."
  4. Restart the service, and run this again."""


@frozen
class Prepared:
    """All that is known before anything is written. `unresolved`: handles in descriptions that stay plain text."""

    repo: Repo
    plan: Plan
    checks: tuple[Check, ...]
    pictures: Mapping[str, Image]
    unresolved: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Every check is passed."""
        return all(check.mend is None for check in self.checks)


async def prepare(config: Config, name: str, now_us: int) -> Prepared:
    """What publishing all feeds would change. ConfigErrors (in the file `name`), OperatorError, or Unable when it cannot be told."""
    pictures = pictures_of(config.feeds, name)
    repo = await _repo(config)
    standing = await repo.records(COLLECTION)
    dids = await _dids(config, standing)
    wanted = {feed.rkey: decided(feed, config.service.did, pictures.get(feed.rkey), dids) for feed in config.feeds}
    checks = await checked(config, list(wanted)) if wanted else []
    unresolved = sorted(_mentioned(config.feeds) - dids.keys())
    return Prepared(repo, plan(wanted, standing, config.service.did, now_us), tuple(checks), pictures, tuple(unresolved))


async def prepare_removal(config: Config, rkey: str) -> Prepared:
    """What taking one feed out would change. Needs no service that answers."""
    repo = await _repo(config)
    standing = (await repo.records(COLLECTION)).get(rkey)
    if standing is None:
        raise OperatorError(f"--remove {shown(rkey)}: {repo.handle} has no feed of that name, so there is nothing to remove")
    if standing.value.get("did") != config.service.did:
        served = shown(standing.value.get("did"))
        raise OperatorError(f"--remove {shown(rkey)}: {served} serves that feed, not {config.service.did}: it is left alone")
    return Prepared(repo, Plan((Change("delete", rkey, None, standing),), ()), (), {})


async def carry_out(prepared: Prepared, password: str, say: Callable[[str], None]) -> None:
    """Log in and write, one record after the other. Unable when it goes wrong; what was done until then stays, and was said."""
    await prepared.repo.login(password)
    for change in prepared.plan.to_do:
        await _carry_out(prepared, change)
        say(f"{change.kind}d {change.rkey}")


def pictures_of(feeds: tuple[Feed, ...], name: str) -> dict[str, Image]:
    """The avatars by rkey; ConfigErrors with every file that cannot be one, and what else the lexicon forbids."""
    found: dict[str, Image] = {}
    problems: list[Problem] = []
    for index, feed in enumerate(feeds):
        try:
            found |= {feed.rkey: images.read(feed.avatar)} if feed.avatar else {}
        except ValueError as error:
            problems.append(Problem(("feeds", index, "avatar"), str(error)))
        if len(feed.self_labels) > 10 or any(not 0 < len(value.encode()) <= 128 for value in feed.self_labels):
            problems.append(Problem(("feeds", index, "self_labels"), "expected at most 10 labels, each of 1 to 128 bytes"))
    if problems:
        raise ConfigErrors(problems, name)
    return found


def password_in(environment: Mapping[str, str], variable: str = PASSWORD) -> str:
    """The account's password from the environment, or the file that it names."""
    if password := environment.get(variable, "").strip():
        return password
    named = f"{variable}_FILE"
    if not (file := environment.get(named)):
        raise OperatorError(
            f"No password. Make an app password in the app (Settings, Privacy and security, App passwords) and put it into the environment"
            f" variable {variable}, or into a file that {named} names."
        )
    try:
        password = Path(file).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise OperatorError(f"{named}: {file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    if not password:
        raise OperatorError(f"{named}: {file} is empty")
    return password


async def _repo(config: Config) -> Repo:
    publisher = config.service.publisher
    if publisher == config.service.web_did:
        raise OperatorError(_no_publisher(config, "it is this service itself"))
    try:
        return await locate(publisher, config.identity.plc)
    except NoAccount as error:
        raise OperatorError(_no_publisher(config, str(error))) from None


def _no_publisher(config: Config, why: str) -> str:
    return NO_PUBLISHER.format(did=config.service.publisher, why=why, resolver=config.identity.resolver.rstrip("/"))


async def _dids(config: Config, standing: Mapping[str, Standing]) -> dict[str, str]:
    """The DIDs of mentioned handles: as the resolver says, else as the standing records say."""
    wanted = sorted(_mentioned(config.feeds))
    told = await asyncio.gather(*(resolve_handle(config.identity.resolver, handle) for handle in wanted))
    known: dict[str, str] = {}
    for record in standing.values():
        known |= known_dids(record.value)
    return known | {handle: did for handle, did in zip(wanted, told, strict=True) if did}


def _mentioned(feeds: tuple[Feed, ...]) -> set[str]:
    return {handle for feed in feeds for handle in handles(feed.description)}


async def _carry_out(prepared: Prepared, change: Change) -> None:
    repo, standing = prepared.repo, change.standing
    if change.record is None:
        assert standing
        await repo.delete(COLLECTION, change.rkey, standing)
        return
    record: dict[str, Any] = change.record
    picture = prepared.pictures.get(change.rkey)
    if picture and (standing is None or avatar_cid(standing.value) != picture.cid):
        record = {**record, "avatar": await repo.upload(picture)}
    await repo.put(COLLECTION, change.rkey, record, standing)
