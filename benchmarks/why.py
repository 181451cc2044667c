"""What /why of a stored post costs: CPU time of the answer as JSON and as a page, against the 20 ms of issue 4; and a feed's figures.

    python -m benchmarks.why [--rows 1000000] [--dir FOLDER] [--rounds 300]

The feeds are those of config.example.toml, of which one holds as many entries as there are posts: counting a place ends at 10,000 entries,
which are counted whenever a post is asked for at random. Every round asks for another post. The database is read in this thread.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from benchmarks.measure import finish, verdict
from benchmarks.store import AUTHORS, FOLDER, did, filled, sort_at
from feedgen.feed import Feed
from models import cursors
from models.database import Database
from models.protocol.syntax import tid_of
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.knowing.known import Known
from plainsky.metrics import Metrics
from plainsky.pages import Pages
from plainsky.pages.languages import languages
from plainsky.pages.site import Site
from plainsky.pages.why import answered
from plainsky.pages.whys import why_stored
from plainsky.pipeline.entering import layout
from plainsky.pipeline.judging import Rooms

WHY_MS = 20.0
FIGURES_MS = 50.0
EXAMPLE = Path(__file__).parents[1] / "config.example.toml"


def uris(rows: int) -> list[tuple[str, str]]:
    """Authors and record keys of stored posts, as benchmarks.store makes them."""
    chance = random.Random(7)
    numbers = [chance.randrange(1, rows) for _ in range(10_000)]
    return [(did(number * 7919 % AUTHORS + 1), tid_of(sort_at(number), number % 1024)) for number in numbers]


def rooms_of(feeds: Sequence[Feed]) -> Rooms:
    """The first feed has number 1, under which all posts stand."""
    return Rooms(layout(feeds, range(1, len(feeds) + 1)), Known().matcher(feeds), None, None)


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """CPU time of this process a call, in ms."""
    costs = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        costs.append((time.process_time() - before) * 1e3)
    return statistics.median(costs)


def page_of(pages: Pages, path: str) -> bytes:
    """A page as it is sent, without a socket."""
    route = next(route for route in pages.routes() if route.path == path.partition("?")[0])
    response = asyncio.run(route.handler(make_mocked_request("GET", path)))
    assert isinstance(response, web.Response)
    assert response.status == 200
    return bytes(response.body)  # type: ignore[arg-type]


def main() -> None:
    """Print each cost beside its limit."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--dir", type=Path, default=FOLDER)
    options.add_argument("--rounds", type=int, default=300)
    args = options.parse_args()
    database = Database(f"sqlite:///{filled(args.dir, args.rows)}")
    database.open()
    try:
        finish(*_measured(database, load(EXAMPLE), args.rows, args.rounds))
    finally:
        database.close()


def _measured(database: Database, config: Config, rows: int, rounds: int) -> list[bool]:
    database.write_now(cursors.save, "benchmark", 1, sort_at(rows))
    rooms, asked, english = rooms_of(config.feeds), iter(uris(rows)), languages()["en"]
    pages = Pages(database, config, lambda: rooms, Metrics())
    site = Site(database, config, lambda: rooms, Metrics(), "benchmark")

    def json() -> bytes:
        why = database.read_now(why_stored, rooms, *next(asked))
        assert why
        return msgspec.json.encode(answered(why, english))

    def page() -> bytes:
        author, rkey = next(asked)
        return page_of(pages, f"/why?uri=at://{author}/app.bsky.feed.post/{rkey}")

    def figures() -> object:
        site._figures.clear()
        return database.read_now(site._views, site.numbered()[:1], 12)

    return [
        verdict(f"{what}: {(cost := median_ms(work, count)):.1f} ms of CPU / {limit:g} ms", cost / limit, 1.0)
        for what, work, limit, count in (
            ("/why as JSON", json, WHY_MS, rounds),
            ("/why as a page", page, WHY_MS, rounds),
            (f"figures of a feed with {rows:,} entries", figures, FIGURES_MS, 20),
        )
        for _ in (median_ms(work, 5),)
    ]


if __name__ == "__main__":
    main()
