"""`plainsky claims import|list|add|retire|stats`: the bank of claims that fact-checkers rated, on the config's database."""

import asyncio
import sys
import time
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from labeler.claims import cleaning, seed
from labeler.claims.ratings import VERDICTS
from labeler.claims.reading import NotClaims, Reading, claim_id
from models import claims as bank
from models.claims import Claim, Wording
from models.database import Database
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError, count
from plainsky.labeling.claims import Imported, Unreadable, get, import_bytes, is_address, keep, read, told
from plainsky.opening import opened

SEED = "seed"


def add_arguments(parser: ArgumentParser) -> None:
    """One subcommand each."""
    commands = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    _import_arguments(
        _command(commands, "import", "bring claims in: ClaimReview (JSON-LD, JSON, a web page, Google's feed) or a CSV table", _import)
    )
    listing = _command(commands, "list", "show claims, the newest fact-check first", _list)
    listing.add_argument("words", metavar="WORD", nargs="*", help="only claims that contain each of these (or have this id)")
    listing.add_argument("--status", choices=("active", "retired", "any"), default="active", help="default: %(default)s")
    listing.add_argument("--limit", type=count, default=50, help="default: %(default)s")
    _add_arguments(_command(commands, "add", "add a claim, or one more wording to one that is there", _add))
    retiring = _command(commands, "retire", "let claims count no more; what they once supported can still be explained", _retire)
    retiring.add_argument("ids", metavar="ID", nargs="+", help="as `plainsky claims list` shows them")
    retiring.add_argument("--undo", action="store_true", help="take them back")
    _command(commands, "stats", "what the bank holds, and how it went with its sources", _stats)


def run(arguments: Namespace) -> int:
    """Do it; OperatorError says what is wrong with the input."""
    return int(arguments.do(load(arguments.config), arguments))


def _command(commands: "_SubParsersAction[ArgumentParser]", name: str, help: str, do: Callable[[Config, Namespace], int]) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.add_argument("--config", metavar="FILE", type=Path, default=Path("config.toml"), help="default: %(default)s")
    parser.set_defaults(do=do)
    return parser


def _import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|URL", help=f"a file, an https address, or {SEED!r}: the claims that ship with Plainsky")
    parser.add_argument("--language", metavar="TAG", default="", help="of claims that do not say theirs, like nl")
    parser.add_argument("--publisher", metavar="NAME", default="", help="of claims that do not say theirs")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("wordings", metavar="WORDING", nargs="+", help="the claim, as people say it; several for one claim")
    parser.add_argument("--language", metavar="TAG", required=True, help="of these wordings, like nl")
    parser.add_argument("--rating", required=True, help='the verdict as published, like "False"')
    parser.add_argument("--publisher", metavar="NAME", default="", help="who checked it")
    parser.add_argument("--url", help="the fact-check")
    parser.add_argument("--date", help="of the fact-check, like 2026-11-20")


def _now() -> int:
    return int(time.time() * 1e6)


def _import(config: Config, arguments: Namespace) -> int:
    source = arguments.source
    with opened(config) as database:
        if source == SEED:
            claims = seed.claims(_now())
            changed = database.write_now(keep, claims, _now())
            done = Imported(len(claims), changed, {})
        else:
            done = asyncio.run(_imported(database, source, arguments))
    _say(f"{done.taken} claims read from {source}: {done.changed} new or changed, {done.taken - done.changed} known already.")
    _say(f"Dropped: {told(done.dropped)}.")
    return 0 if done.taken else 1


async def _imported(database: Database, source: str, arguments: Namespace) -> Imported:
    try:
        data = ((await get(source)).body or b"") if is_address(source) else read(source)
        reading = Reading(data, source, _now(), cleaning.language(arguments.language), arguments.publisher)
    except (Unreadable, NotClaims) as error:
        raise OperatorError(f"{source}: {error}") from None
    return await import_bytes(database, reading, _now, _progress if sys.stderr.isatty() else _silent)


def _progress(count: int) -> None:
    sys.stderr.write(f"\r{count} claims ...")
    sys.stderr.flush()


def _silent(_count: int) -> None:
    pass


def _list(config: Config, arguments: Namespace) -> int:
    status = None if arguments.status == "any" else arguments.status
    with opened(config) as database:
        found = database.read_now(bank.listed, arguments.words, status, arguments.limit)
    for claim in found:
        meaning = config.claims.ratings.meaning(claim.rating)
        retired = " (retired)" if claim.status == "retired" else ""
        checked = ", ".join(part for part in (claim.publisher, claim.reviewed_on, claim.url) if part)
        _say(f"{claim.id}{retired}  {claim.rating!r} ({meaning})  {checked}")
        for wording in claim.wordings:
            _say(f"    {wording.lang or '?':3} {wording.text}")
    _say(f"{len(found)} claims." if len(found) < arguments.limit else f"The first {len(found)} claims; --limit shows more.")
    return 0


def _add(config: Config, arguments: Namespace) -> int:
    claim = _claim(arguments)
    with opened(config) as database:
        changed = database.write_now(keep, [claim], _now())
        (kept,) = [one for one in database.read_now(bank.alike, [claim]) if claim.wordings[0] in one.wordings][:1] or [claim]
    meaning = config.claims.ratings.meaning(claim.rating)
    _say(f"{kept.id}: {'added' if changed else 'known already'}; {claim.rating!r} means {meaning}.")
    if kept.status == "retired":
        _say(f"It is retired and does not count; `plainsky claims retire --undo {kept.id}` takes it back.")
    if meaning == "unknown":
        _say('It can support no label. If it means false, say so in the config: [claims.ratings] false = ["..."].')
    return 0


def _claim(arguments: Namespace) -> Claim:
    lang, url, date = cleaning.language(arguments.language), cleaning.link(arguments.url), cleaning.day(arguments.date)
    wordings = tuple(Wording(words, lang) for text in arguments.wordings if (words := cleaning.text(text)))
    problems = [
        *(["--language: expected a tag like nl or en-GB"] if not lang else []),
        *(["--url: expected an address that starts with https://"] if arguments.url and not url else []),
        *(["--date: expected a date like 2026-11-20"] if arguments.date and not date else []),
        *(["WORDING: expected at least two words"] if not wordings or any(len(text.split()) < 2 for text, _ in wordings) else []),
        *(["--rating: expected the verdict in words"] if not cleaning.text(arguments.rating) else []),
    ]
    if problems:
        raise OperatorError("\n".join(problems))
    publisher = cleaning.text(arguments.publisher, 200) or cleaning.host(url)
    return Claim(
        id=claim_id(wordings[0].text, publisher, url),
        wordings=wordings,
        rating=cleaning.text(arguments.rating),
        publisher=publisher,
        url=url,
        reviewed_on=date,
        lang=lang,
        source="added by hand",
        imported_at=_now(),
    )


def _retire(config: Config, arguments: Namespace) -> int:
    with opened(config) as database:
        missing = [
            id for id in arguments.ids if not database.write_now(bank.set_status, id, "active" if arguments.undo else "retired", _now())
        ]
    if missing:
        raise OperatorError(f"no such claim: {', '.join(missing)}. `plainsky claims list WORD` shows ids")
    _say(f"{len(arguments.ids)} {'taken back' if arguments.undo else 'retired'}.")
    return 0


def _stats(config: Config, arguments: Namespace) -> int:
    with opened(config) as database:
        counted = database.read_now(bank.counted)
        sources = database.read_now(bank.sources)
    meanings, publishers, languages, unknown = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in counted:
        if row.status == "active":
            meaning = config.claims.ratings.meaning(row.rating)
            meanings[meaning] += row.claims
            publishers[row.publisher or "nobody named"] += row.claims
            languages[row.lang or "not said"] += row.claims
            unknown[row.rating] += row.claims if meaning == "unknown" else 0
    retired = sum(row.claims for row in counted if row.status == "retired")
    _say(f"{meanings.total()} claims, {retired} more retired. Only those rated false can support a label.")
    _say("By meaning of the rating: " + ", ".join(f"{verdict} {meanings[verdict]}" for verdict in VERDICTS))
    _say(f"By publisher: {_most(publishers)}")
    _say(f"By language of the fact-check: {_most(languages)}")
    if +unknown:
        _say(f"Ratings that mean nothing yet, for [claims.ratings]: {_most(+unknown)}")
    for source in sources.values():
        _say(f"{source.source}: {source.claims} claims, {source.dropped} dropped; {source.error or 'no error'}")
    return 0


def _most(counts: "Counter[str]") -> str:
    shown = ", ".join(f"{name} {count}" for name, count in counts.most_common(12))
    return shown + (f" and {len(counts) - 12} more" if len(counts) > 12 else "") if shown else "none"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
