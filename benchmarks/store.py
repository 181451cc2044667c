"""What a stored post costs: CPU time to insert it with an entry into 10 million rows against 10 thousand, and bytes on the disk.

    python -m benchmarks.store [--rows 10000000] [--dir FOLDER]

The statements are the pipeline's own (models.posts.add, models.entries.add and models.quotas.apply), a batch of 1,000 a transaction. The
filled databases stay in the folder for the next run, and for benchmarks.skeleton.
"""

import argparse
import resource
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from feedgen.feed import Quota
from feedgen.skeleton import feed_context, item
from models import accounts, entries, feeds, posts, quotas
from models.database import Database, Session
from models.duration import duration
from models.post import Post
from models.protocol.syntax import tid_of
from models.quotas import Quotas

BASE = 1_780_000_000_000_000  # µs since the epoch
STEP = 50_000  # µs from one post to the next: 20 posts a second
AUTHORS = 200_000
BATCH = 1_000
LIMIT = 1.5
ROUNDS = 7
NONE: Mapping[int, Quotas] = {}
QUOTAS = {1: Quotas(Quota(posts=3, every=duration("6h")), None)}
FOLDER = Path(tempfile.gettempdir()) / "plainsky-benchmarks"

_BODY = posts.packed(
    Post("Volunteers meet on Saturday at ten, at the old harbour. Bring gloves! #solidarity", langs=("en",), tags=("solidarity",))
)
_CONTEXT = feed_context("include[0]", "hashtag", ("solidarity",))


def did(author: int) -> str:
    """A DID as long as real ones."""
    return f"did:plc:{author:024d}"


def sort_at(number: int) -> int:
    """When the post of that number was written, in µs."""
    return BASE + number * STEP


def insert(session: Session, first: int, count: int, allowed: Mapping[int, Quotas] = NONE) -> None:
    """Posts `first` to `first + count - 1`, each with an entry in feed 1, as the pipeline stores a batch."""
    new: list[posts.NewPost] = []
    entered: list[entries.Entry] = []
    touched: list[entries.Touched] = []
    for number in range(first, first + count):
        author, rkey, at = number * 7919 % AUTHORS + 1, tid_of(sort_at(number), number % 1024), sort_at(number)
        uri = f"at://{did(author)}/app.bsky.feed.post/{rkey}"
        cid = f"bafyrei{number:052d}"
        new.append((number, author, rkey, rkey, cid, at, at, _BODY))
        entered.append((1, entries.SHOWN, at, entries.tie_of(uri), number, item(uri, _CONTEXT)))
        touched.append(entries.Touched(1, author, at))
    posts.add(session, new)
    entries.add_new(session, entered)
    quotas.apply(session, allowed, touched)


def filled(folder: Path, rows: int) -> Path:
    """A SQLite database with that many posts and entries, made on first use."""
    path = folder / f"plainsky-{rows}.sqlite"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        making = path.with_suffix(".making")
        making.unlink(missing_ok=True)
        database = Database(f"sqlite:///{making}")
        database.open()
        database.write_now(_begin)
        for first in range(1, rows + 1, 50 * BATCH):
            database.write_now(_fill, first, min(50 * BATCH, rows + 1 - first))
        database.close()
        making.rename(path)
    return path


def _begin(session: Session) -> None:
    feeds.begin(session, "solidarity")
    accounts.add(session, (accounts.Account(number, did(number)) for number in range(1, AUTHORS + 1)))


def _fill(session: Session, first: int, count: int) -> None:
    for start in range(first, first + count, BATCH):
        insert(session, start, min(BATCH, first + count - start))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _costs(path: Path, first: int, allowed: Mapping[int, Quotas]) -> Iterator[float]:
    """CPU µs a post, batch after batch, without end."""
    database = Database(f"sqlite:///{path}")
    database.open()
    try:
        while True:
            before = _cpu()
            for _ in range(10):
                database.write_now(insert, first, BATCH, allowed)
                first += BATCH
            yield (_cpu() - before) / (10 * BATCH) * 1e6
    finally:
        database.close()


def _bytes(path: Path) -> dict[str, float]:
    """Bytes a row on the disk, of each table with its indexes."""
    database = Database(f"sqlite:///{path}")
    sql = (  # aggregated, `pageno` is a number of pages; `pgsize` overflows at 2 GiB
        "SELECT m.tbl_name, sum(s.pageno) * (SELECT page_size FROM pragma_page_size) FROM dbstat s JOIN sqlite_schema m ON m.name = s.name"
        " WHERE s.aggregate = 1 AND m.tbl_name IN ('post', 'entry') GROUP BY m.tbl_name"
    )
    sizes: dict[str, int] = dict(database.read_now(lambda session: session.execute(sql)))
    rows = {table: database.read_now(lambda session, t=table: session.execute(f"SELECT count(*) FROM {t}"))[0][0] for table in sizes}
    database.close()
    return {table: size / rows[table] for table, size in sizes.items()}


def _compare(folder: Path, rows: int, allowed: Mapping[int, Quotas]) -> tuple[float, float, float]:
    """CPU µs a post at 10 thousand and at `rows` rows, in turn, and the ratio: medians."""
    with tempfile.TemporaryDirectory(dir=folder if folder.exists() else None) as scratch:
        paths = [Path(shutil.copy(filled(folder, size), scratch)) for size in (10_000, rows)]
        small, big = _costs(paths[0], 10_001, allowed), _costs(paths[1], rows + 1, allowed)
        next(small), next(big)
        pairs = [(next(small), next(big)) for _ in range(ROUNDS)]
        small.close(), big.close()
    few, many = (statistics.median(side) for side in zip(*pairs, strict=True))
    return few, many, statistics.median(b / a for a, b in pairs)


def main() -> None:
    """Print the ratio and the sizes."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--dir", type=Path, default=FOLDER)
    args = options.parse_args()
    few, many, ratio = _compare(args.dir, args.rows, NONE)
    print(f"insert, post and entry: {few:.1f} us at 10,000 rows, {many:.1f} us at {args.rows:,}: {ratio:.2f} (limit {LIMIT})")
    # A quota looks at an author's posts of six hours, of which a database of eight minutes has hardly any: no ratio of like with like.
    few_more, many_more, _ = _compare(args.dir, args.rows, QUOTAS)
    print(f"a quota adds {few_more - few:.1f} us at 10,000 rows, {many_more - many:.1f} us at {args.rows:,}")
    for table, size in _bytes(filled(args.dir, args.rows)).items():
        print(f"{table}: {size:.0f} bytes a row, indexes included")


if __name__ == "__main__":
    main()
