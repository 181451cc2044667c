"""Another config for a service that runs: from its own file, on SIGHUP or when `plainsky reload` asks.

Who asks writes so into the database, and reads there what came of it: so it makes no difference which database it is, who runs the command
and on which machine. Promise: a config that is wrong, or that needs a restart, changes nothing, and the answer says why.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec

from labeler.judge import Judge
from labeler.policy import LabelPolicy
from models import changes, posts
from models.changes import Effect, Logged
from models.database import Database
from plainsky.changing.deciding import known_now
from plainsky.changing.reload_requests import Request, State, ask, asked
from plainsky.config.errors import Path as TomlPath
from plainsky.config.errors import spelled
from plainsky.config.hashing import label_hash
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.labeling.banking import given_by
from plainsky.patience import patiently
from plainsky.service import Service

log = logging.getLogger(__name__)

RELOADABLE = frozenset(
    {"feeds", "labels", "opt_out", "canary", "service.links", "store.retention", "appview.refresh"}
    | {"labeler.context", "labeler.scorecard", "labeler.text_model"}
)
"""Tables and keys that take effect while the service runs."""
POLL_SECONDS = 0.5
STEP = 1_000


class Reloader:
    """Reloads one service from the file at `path`."""

    def __init__(self, service: Service, path: Path) -> None:
        self._service, self._path = service, path
        self._database = service.database
        self._hung_up = asyncio.Event()

    def hang_up(self) -> None:
        """SIGHUP came."""
        self._hung_up.set()

    async def run(self) -> None:
        """Until cancelled."""
        last = await patiently(self._database.read, asked)
        seen = last.id if last else ""
        while True:
            if self._hung_up.is_set():
                self._hung_up.clear()
                await self.answer("")
            last = await patiently(self._database.read, asked)
            if last and last.id != seen and last.state == ("asked" if self._service.writes else "done"):
                seen = last.id
                await self._serve(last)
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._hung_up.wait()
        except TimeoutError:
            pass

    async def _serve(self, request: Request) -> None:
        if not self._service.writes:  # the process that writes has done it, and told
            await self.answer(request.reason)
            return
        taken = msgspec.structs.replace(request, state="taken")
        await patiently(self._database.write, ask, taken)
        state, text = await self.answer(request.reason)
        await patiently(self._database.write, ask, msgspec.structs.replace(taken, state=state, text=text))

    async def answer(self, reason: str) -> tuple[State, str]:
        """Reload, and what to tell: it is logged as well."""
        try:
            text = await self.reload(reason)
        except OperatorError as error:
            log.error("the config is not reloaded, and nothing is changed: %s", error)
            return "refused", f"{error}\nNothing is changed."
        except Exception as error:
            log.exception("the config is not reloaded")
            return "refused", f"This failed, and nothing is changed: {type(error).__name__}: {error}"
        log.info("%s", text)
        return "done", text

    async def reload(self, reason: str) -> str:
        """Take the file's config into use; what changed, in plain words. OperatorError: nothing changed."""
        service = self._service
        config = await asyncio.to_thread(load, self._path)
        check(service.config, config, str(self._path))
        new = service.deciding(config, await known_now(config, self._database, service.writes))
        of_labels = await asyncio.to_thread(label_effects, self._database, service.config, config) if service.writes else {}
        before = await patiently(self._database.read, changes.head)
        await service.reload(new, reason, of_labels)
        logged = await patiently(self._database.read, changes.read)
        return told(self._path, [entry for entry in logged if entry.seq > before.seq][::-1])


def told(path: Path, entries: list[Logged]) -> str:
    """What a reload changed, for the operator."""
    if not entries:
        return f"Reloaded {path}: no feed and no label is another."
    return "\n".join([f"Reloaded {path}.", *(line for entry in entries for line in _entry(entry))])


def _entry(entry: Logged) -> Iterator[str]:
    effect = entry.effect
    posts_ = f": +{effect.added}, -{effect.removed} of the stored posts, by {effect.authors} authors" if effect else ""
    yield f"{entry.what.capitalize()} {entry.name} {entry.action}{posts_}"
    for line in entry.diff:
        yield f"  {line}"


def check(running: Config, new: Config, name: str) -> None:
    """OperatorError when the new config says something that the running service cannot take on."""
    fixed = [spelled(path) for path in _others((), running, new)]
    if fixed:
        lines = [f"  {key}: takes effect at a restart only" for key in fixed]
        raise OperatorError("\n".join([f"{name} is without errors, but cannot be taken into use while the service runs:", *lines]))


def _others(path: TomlPath, one: Any, other: Any) -> Iterator[TomlPath]:
    """Where two tables differ in what needs a restart."""
    for field in attrs.fields(type(one)):
        here = (*path, field.name)
        before, after = getattr(one, field.name), getattr(other, field.name)
        if before == after or spelled(here) in RELOADABLE:
            continue
        if attrs.has(type(before)) and type(before) is type(after) and not path:
            yield from _others(here, before, after)
        else:
            yield here


def label_effects(database: Database, before: Config, after: Config, bank: Database | None = None) -> Mapping[str, Effect]:
    """By value, for labels that are new, changed or gone: of how many stored posts the reason holds now, or no more. Reads every post.

    bank: where the claims are, if not with the posts.
    """
    olds, news = ({policy.value: policy for policy in config.labels} for config in (before, after))
    values = {value for value in olds.keys() | news.keys() if _hash(olds.get(value)) != _hash(news.get(value))}
    if not values:
        return {}
    judges = [
        Judge([policies[value] for value in sorted(values & policies.keys())], given=(bank or database).read_now(given_by, config))
        for policies, config in ((olds, before), (news, after))
    ]
    counted = {value: _Counted() for value in values}
    after_id = 0
    while step := database.read_now(posts.scan, after_id, STEP):
        after_id = step[-1].id
        for each in step:
            held, holds = ({verdict.value for verdict in judge.judge(each.account.did, each.post)} for judge in judges)
            for value in held ^ holds:
                counted[value].count(each.account.id, value in holds)
    return {value: each.effect for value, each in counted.items()}


def _hash(policy: LabelPolicy | None) -> str | None:
    return label_hash(policy) if policy else None


class _Counted:
    def __init__(self) -> None:
        self._added = self._removed = 0
        self._authors: set[int] = set()

    def count(self, author: int, added: bool) -> None:
        self._added += added
        self._removed += not added
        self._authors.add(author)

    @property
    def effect(self) -> Effect:
        return Effect(self._added, self._removed, len(self._authors))
