"""`plainsky feeds show NAME`: a feed in the terminal, page by page, as readers see it."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import msgspec

from feedgen.feed import Feed
from feedgen.pages import FeedPages
from feedgen.text import CONTROL
from models import cursors, feeds, looking
from models.database import Database, Session
from models.protocol.syntax import format_datetime, parse_at_uri
from plainsky.commands import whole
from plainsky.config.loading import load
from plainsky.errors import OperatorError
from plainsky.opening import exists, opened
from plainsky.trying.verifying import Rebuilt, feed_of, walked

WIDTH = 100


def add_arguments(parser: ArgumentParser) -> None:
    """Which feed, and how much of it."""
    commands = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    show = commands.add_parser("show", help="print a feed's pages", description="Print a feed's pages, with the reason of each post.")
    show.add_argument("feed", metavar="NAME", help="the feed's rkey")
    show.add_argument("--config", metavar="FILE", type=Path, default=Path("config.toml"), help="default: %(default)s")
    show.add_argument("--pages", type=whole(1), default=1, metavar="N", help="how many pages (%(default)s)")
    show.add_argument("--limit", type=whole(1, 100), default=30, metavar="N", help="posts a page (%(default)s, as in the app)")


class Shown(NamedTuple):
    """A post on a page."""

    uri: str
    why: str
    found: looking.Stored | None


def run(arguments: Namespace) -> int:
    """Read and print."""
    config = load(arguments.config)
    feed = feed_of(config, arguments.feed)
    if not exists(config):
        raise OperatorError("there is no database of this config yet: `plainsky run` makes it")
    with opened(config) as database:
        asyncio.run(_print(database, feed, arguments))
    return 0


async def _print(database: Database, feed: Feed, arguments: Namespace) -> None:
    known, log_time = database.read_now(_known, feed.rkey)
    if known is None:
        raise OperatorError(f"the service has not filled {feed.rkey} yet: start it, or let it reload its config")
    pages = FeedPages(database, [feed], {feed.rkey: known}, log_time)
    if not log_time:
        sys.stdout.write(f"{feed.name} ({feed.rkey}): nothing has come in yet\n")
        return
    sys.stdout.write(f"{feed.name} ({feed.rkey}), as of {format_datetime(log_time)}\n")
    number = 0
    async for body in walked(Rebuilt(pages, feed, log_time, ()), arguments.limit, None, arguments.pages <= 1):
        number += 1
        sys.stdout.write("\n".join([*_page(database, number, msgspec.json.decode(body)), ""]))
        if number >= arguments.pages:
            return


def _known(session: Session, rkey: str) -> tuple[int | None, int]:
    feed = feeds.known(session).get(rkey)
    return feed.id if feed and feed.rules_hash else None, cursors.log_time(session)


def _page(database: Database, number: int, page: dict[str, Any]) -> Iterator[str]:
    yield f"\nPage {number}"
    for item in page["feed"]:
        why = "pinned" if "reason" in item else item.get("feedContext", "")
        yield from _lines(Shown(item["post"], why, database.read_now(_stored, item["post"])))
    yield "  (the page ends here, the feed goes on)" if "cursor" in page else "  (the feed ends here)"


def _stored(session: Session, written: str) -> looking.Stored | None:
    uri = parse_at_uri(written)
    return looking.stored(session, uri.authority, uri.rkey) if uri and uri.rkey else None


def _lines(shown: Shown) -> Iterator[str]:
    found = shown.found
    when = f"{format_datetime(found.sort_at)}  {found.handle or found.account.did}" if found else shown.uri
    yield f"  {when}"
    text = found.post.text if found and found.post else "(this post is not stored here)"
    for line in wrap(" ".join(CONTROL.sub(" ", text).split()) or "(no text)", WIDTH - 4):
        yield f"    {line}"
    yield f"    because of {shown.why}"
