"""What a feed shows, in numbers: pure functions from what was counted.

Source of the Gini coefficient: Gini 1912, in the form for sorted values; 0 is equality.
"""

from collections.abc import Mapping, Sequence

import msgspec

from models.duration import Duration, duration
from models.looking import SAMPLE, Figures

BARS = 32
"""A chart has about so many at most."""
LANGUAGES = 6
"""So many are named; the others are told together."""
DAY = duration("1d")
_STEPS = tuple(map(duration, ("1m", "5m", "15m", "1h", "2h", "3h", "6h", "12h", "1d", "2d", "1w", "2w", "4w", "8w", "24w", "96w")))


class Bar(msgspec.Struct, frozen=True, rename="camel"):
    """Posts written from `from_us` (µs) on, for one step."""

    from_us: int
    posts: int


class Share(msgspec.Struct, frozen=True, rename="camel"):
    """A language with its posts, and their share from 0 to 1; "" is no language, "*" all others."""

    lang: str
    posts: int
    share: float


class InNumbers(msgspec.Struct, frozen=True, rename="camel"):
    """All shown entries are counted in `shown` (up to 10,000); the rest is of the newest `sampled`."""

    shown: int
    sampled: int
    complete: bool
    """Whether what was sampled is all that the feed shows."""
    posts_a_day: float
    authors: int
    top_author_share: float
    gini: float
    held_author: int
    held_thread: int
    languages: tuple[Share, ...]
    step_us: int
    bars: tuple[Bar, ...]


def step_for(length: int) -> Duration:
    """How long the steps of a chart of this length (µs) are."""
    return next((step for step in _STEPS if length <= step * BARS), _STEPS[-1])


def end_of(log_time: int, step: int) -> int:
    """Where a chart ends (µs): its steps begin at full hours, days ..."""
    return (log_time // step + 1) * step


def in_numbers(found: Figures, end: int, step: int, log_time: int) -> InNumbers:
    """The numbers of a feed. `end` and `step` (µs) are those that it was counted with."""
    total = found.sampled
    authors = sum(found.authors.values())
    return InNumbers(
        shown=found.shown,
        sampled=total,
        complete=total == found.shown,
        posts_a_day=total * DAY / _span(found, log_time),
        authors=authors,
        top_author_share=max(found.authors, default=0) / total if total else 0.0,
        gini=gini(found.authors),
        held_author=found.held_author,
        held_thread=found.held_thread,
        languages=shares(found.langs),
        step_us=step,
        bars=bars(found.steps, end, step),
    )


def gini(authors: Mapping[int, int]) -> float:
    """How unevenly posts are spread; authors: how many wrote so many posts."""
    before, weighted = 0, 0.0
    for posts in sorted(authors):
        count = authors[posts]
        weighted += posts * count * (2 * before + count + 1)
        before += count
    total = sum(posts * count for posts, count in authors.items())
    return weighted / (before * total) - (before + 1) / before if total else 0.0


def shares(langs: Mapping[str, int]) -> tuple[Share, ...]:
    """The commonest languages first; a tag's region is left out."""
    counts: dict[str, int] = {}
    for tag, posts in langs.items():
        primary = tag.lower().replace("_", "-").partition("-")[0]
        counts[primary] = counts.get(primary, 0) + posts
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    others = sum(posts for _, posts in ranked[LANGUAGES:])
    named = [*ranked[:LANGUAGES], *([("*", others)] if others else [])]
    return tuple(Share(lang, posts, posts / total) for lang, posts in named)


def bars(steps: Mapping[int, int], end: int, step: int) -> tuple[Bar, ...]:
    """One bar for each step back to the oldest, the oldest first."""
    if not steps:
        return ()
    last = min(max(steps), 2 * BARS)
    return tuple(Bar(end - (number + 1) * step, steps.get(number, 0)) for number in range(last, -1, -1))


def _span(found: Figures, log_time: int) -> int:
    """From the oldest of the sample on; a day at least, unless the sample is but a part: nothing is made more than it is."""
    span = max(log_time - found.oldest, 1)
    return span if found.sampled == SAMPLE else max(span, DAY)


class Rect(msgspec.Struct, frozen=True):
    """A bar as it is drawn: left edge, top edge, width and height."""

    x: float
    y: float
    width: float
    height: float


def drawn(counts: Sequence[int], width: float, height: float, gap: float = 1.5) -> tuple[Rect, ...]:
    """Bars of a chart of this size; what is not nothing is at least one unit high."""
    most = max(counts, default=0)
    if not most:
        return ()
    each = width / max(len(counts), BARS // 2)
    left = width - each * len(counts)
    heights = [max(height * count / most, 1.0) if count else 0.0 for count in counts]
    return tuple(
        Rect(round(left + each * number, 2), round(height - tall, 2), round(max(each - gap, 0.5), 2), round(tall, 2))
        for number, tall in enumerate(heights)
    )
