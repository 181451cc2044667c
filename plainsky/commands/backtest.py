"""`plainsky backtest NEW [--config OLD]`: what another config would put into the feeds and take out, before it is in force."""

import asyncio
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import attrs
import msgspec

from feedgen.text import CONTROL
from models import cursors
from models.changes import Effect
from models.database import Database
from models.duration import Duration, duration
from plainsky.changing.deciding import known_for
from plainsky.changing.reloading import label_effects
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.ingest.notes import LabelerNote, LabelNote
from plainsky.ingest.recording import last_time
from plainsky.labeling.banking import asks
from plainsky.opening import exists, opened
from plainsky.pages.answering import calm
from plainsky.progress import Bar
from plainsky.trying.backtesting import FeedResult, Result, Sample, Tested, result, side_by_side
from plainsky.trying.scratch import House, copy_labels, copy_opt_outs, copy_posts, look_back, recorded, scratch

EXAMPLES = 10
SEEDED = (
    "the old config has no database here: labels are judged by the claims that come with Plainsky, not by those that a service has read"
)


def add_arguments(parser: ArgumentParser) -> None:
    """The configs, the posts, the form of the answer."""
    parser.epilog = "Without --recording or --jetstream, the posts are those that the old config's database holds. See docs/operating.md."
    parser.add_argument("new", metavar="NEW", type=Path, help="the config to try")
    parser.add_argument("--config", metavar="OLD", type=Path, default=Path("config.toml"), help="the config to compare with (%(default)s)")
    parser.add_argument("--since", metavar="LENGTH", type=_length, help='only the newest stretch, like "24h" (with --jetstream: 1h)')
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--recording", metavar="DIR", type=Path, help="posts of a recording (docs/recording.md)")
    source.add_argument("--jetstream", action="store_true", help="posts that the config's Jetstream hosts still have")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--html", metavar="FILE", type=Path, help="write a page")


def _length(text: str) -> Duration:
    try:
        return duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def run(arguments: Namespace) -> int:
    """Fill the feeds of both configs, compare them, and say how they differ."""
    old, new = load(arguments.config), load(arguments.new)
    with scratch() as database:
        found = asyncio.run(_tested(database, old, new, arguments))
    if arguments.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    elif arguments.html:
        _write(arguments.html, found)
    else:
        sys.stdout.write("\n".join([*_table(found), ""]))
    return 0


async def _tested(database: Database, old: Config, new: Config, arguments: Namespace) -> Result:
    known, notes = await known_for((old, new))
    feeds, pairs = side_by_side(old.feeds, new.feeds, known)
    mixed = attrs.evolve(new, opt_out=old.opt_out)
    with Bar(sys.stderr) as bar:
        if arguments.recording or arguments.jetstream:
            house = House.of(database, feeds, known, mixed, played=True)
            source = await _events(house, new, arguments, bar)
            notes += house.unheard()
            first = house.first_time
        else:
            source, first = await asyncio.to_thread(_copied, database, old, arguments.since, bar)
            house = House.of(database, feeds, known, mixed)
    olds = {house.ids[pair.old_index] for pair in pairs if pair.old}
    aside = house.opt_out_anew(new.opt_out, olds) if old.opt_out != new.opt_out else {}
    labels, more = await asyncio.to_thread(_labels, database, old, new)
    found = Tested(house, pairs, first, database.read_now(cursors.log_time), aside)
    return result(found, source, labels, [*notes, *more])


def _labels(database: Database, old: Config, new: Config) -> tuple[dict[str, Effect], list[str]]:
    """What becomes of labels, and what there is to note: claims are those of the service's database, where there is one."""
    if not exists(old):
        seeded = asks((*old.labels, *new.labels))
        found = dict(label_effects(database, old, new))
        return found, [SEEDED] if seeded and found else []
    with opened(old) as source:
        return dict(label_effects(database, old, new, source)), []


async def _events(house: House, config: Config, arguments: Namespace, bar: Bar) -> str:
    since: Duration | None = arguments.since
    if arguments.jetstream:
        if config.ingest.source != "jetstream":
            raise OperatorError(f'--jetstream: {arguments.new} says ingest.source = "{config.ingest.source}"')
        await look_back(house, config.ingest, since or duration("1h"), bar)
        return f"Jetstream, {config.ingest.hosts[0]}"
    end = last_time(arguments.recording)
    floor = end - since if since else 0
    events = (one for one in recorded(arguments.recording) if isinstance(one, LabelerNote | LabelNote) or one.time_us >= floor)
    await asyncio.to_thread(house.store_all, events, bar, end)
    return f"the recording {arguments.recording}"


def _copied(database: Database, config: Config, since: Duration | None, bar: Bar) -> tuple[str, int]:
    if not exists(config):
        raise OperatorError("there is no database of the old config yet: give --recording or --jetstream")
    with opened(config) as source:
        copy_labels(source, database)
        copy_posts(source, database, since, bar)
        copy_opt_outs(source, database)
    first = database.read_now(lambda session: session.execute("SELECT coalesce(min(indexed_at), 0) FROM post"))[0][0]
    return "the posts of the service's database", int(first)


def _table(found: Result) -> Iterator[str]:
    yield f"{found.posts} posts from {found.from_} to {found.to}: {found.source}"
    yield from (f"Note: {note}" for note in found.notes)
    yield ""
    yield f"{'feed':24} {'added':>8} {'removed':>8} {'unchanged':>9} {'authors':>8}   posts an hour"
    for feed in found.feeds:
        rate = f"{feed.per_hour_before:.1f} -> {feed.per_hour_after:.1f}"
        yield f"{feed.rkey:24} {feed.added:8} {feed.removed:8} {feed.unchanged:9} {feed.authors:8}   {rate}"
    for value, effect in sorted(found.labels.items()):
        yield f'label "{value}": +{effect.added}, -{effect.removed} posts, by {effect.authors} authors'
    for feed in found.feeds:
        if feed.change != "same":
            yield from ("", *_feed(feed))


def _feed(feed: FeedResult) -> Iterator[str]:
    yield f"{feed.rkey}: {feed.change}"
    for name, langs in (("added", feed.languages_added), ("removed", feed.languages_removed)):
        if langs:
            ranked = sorted(langs.items(), key=lambda each: (-each[1], each[0]))
            yield f"  languages of {name} posts: " + ", ".join(f"{lang or 'none'} {count}" for lang, count in ranked[:EXAMPLES])
    parts = (("+", feed.added_examples), ("-", feed.removed_examples), ("=", feed.unchanged_examples))
    for sign, examples in parts:
        yield from (_example(sign, each) for each in examples)


def _example(sign: str, post: Sample) -> str:
    text = " ".join(CONTROL.sub(" ", post.text).split()) or "(no text)"
    return f"  {sign} {text[:90]}{'…' if len(text) > 90 else ''}  [{CONTROL.sub(' ', post.why)}] {post.uri}"


def _write(file: Path, found: Result) -> None:
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["calm"] = calm
    template, style = (_text_of(*path) for path in (("templates", "backtest.html"), ("static", "style.css")))
    try:
        file.write_text(environment.from_string(template).render(result=found, style=style), encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"{file}: cannot be written: {error.strerror}") from None
    sys.stdout.write(f"Wrote {file}.\n")


def _text_of(folder: str, name: str) -> str:
    return (files("plainsky.pages") / folder / name).read_text("utf-8")
