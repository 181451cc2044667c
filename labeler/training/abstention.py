"""What share of posts is matched at a threshold that keeps its promise: right 99 times of 100, and hardly ever on an everyday post.

Two answers: the lowest threshold at which all posts together keep it, as one who knows the answers would set it; and, honest, each part
of the posts judged at the threshold that the others allow. Parts are fifths, and tenths: who counts alarms and may have 1 of 10,000 may
have as many as fit in the posts at hand, and of 19,600 posts, which are four fifths, that is 1, which is half of what was promised.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from labeler.training.report import Cell, Table

PRECISION = 0.99
LIMITS = ((1.0, 2.0), (3.5, 6.7))
"""False alarms allowed in 10,000: (everyday posts, posts about vaccines)."""
PARTS = 10
"""Of the posts, by which thresholds are chosen; two in a row are a fold of the cross-validation."""


class Judged(NamedTuple):
    """The first candidate of a post: its similarity (0 when there is none), whether it is right, whether its claim is rated false."""

    similarity: float
    right: bool
    rated_false: bool


class Post(NamedTuple):
    """An everyday post: its first candidate, which of the `PARTS` it is in, what it is about, and whether it says what a claim says."""

    judged: Judged
    part: int
    of_vaccines: bool
    states: bool


class Sides(NamedTuple):
    """First candidates of pairs, each with its part, and everyday posts."""

    pairs: Sequence[tuple[Judged, int]]
    everyday: Sequence[Post]


class Counts(NamedTuple):
    """What is matched at a threshold, and what it costs."""

    matched: int
    right: int
    alarms: int
    vaccine_alarms: int


Alarming = Callable[[Post], bool]
ALARMS: dict[str, Alarming] = {
    "any claim": lambda _: True,
    "any claim, but for posts that say it": lambda post: not post.states,
    "a claim rated false": lambda post: post.judged.rated_false,
    "a claim rated false, but for posts that say it": lambda post: post.judged.rated_false and not post.states,
}


def at(threshold: float, sides: Sides, alarming: Alarming) -> Counts:
    """What a threshold does."""
    matched = [one.right for one, _ in sides.pairs if one.similarity >= threshold]
    loud = [post.of_vaccines for post in sides.everyday if post.judged.similarity >= threshold and alarming(post)]
    return Counts(len(matched), sum(matched), len(loud) - sum(loud), sum(loud))


def lowest(sides: Sides, limits: tuple[float, float], alarming: Alarming) -> float:
    """The lowest threshold at which precision is `PRECISION` and false alarms are within the limits of 10,000; above 1 where none is."""
    of_vaccines = sum(post.of_vaccines for post in sides.everyday)
    allowed = limits[0] * (len(sides.everyday) - of_vaccines) / 1e4, limits[1] * of_vaccines / 1e4
    near = Sides(
        [pair for pair in sides.pairs if pair[0].similarity],
        [post for post in sides.everyday if post.judged.similarity and alarming(post)],
    )
    best = 2.0
    for threshold in sorted({one.similarity for one, _ in near.pairs}, reverse=True):
        found = at(threshold, near, alarming)
        if found.alarms > allowed[0] or found.vaccine_alarms > allowed[1]:
            break
        if found.right >= PRECISION * found.matched:
            best = threshold
    return best


def unseen(sides: Sides, limits: tuple[float, float], alarming: Alarming, parts: int = PARTS) -> Counts:
    """Each of so many parts of the posts, judged at the threshold that the others allow."""
    found = []
    for held_out in range(parts):
        rest, held = (
            Sides(
                [pair for pair in sides.pairs if (pair[1] * parts // PARTS == held_out) is wanted],
                [post for post in sides.everyday if (post.part * parts // PARTS == held_out) is wanted],
            )
            for wanted in (False, True)
        )
        found.append(at(lowest(rest, limits, alarming), held, alarming))
    return Counts(*map(sum, zip(*found, strict=True)))


def average(sides: Sides, alarming: Alarming, most: int) -> float:
    """The share of pairs above the similarity of the second loudest everyday post, of the third ..., on average over `most` of them."""
    loudest = sorted([post.judged.similarity for post in sides.everyday if alarming(post)], reverse=True)[1 : most + 1]
    above = [sum(one.similarity > bound for one, _ in sides.pairs) for bound in loudest]
    return sum(above) / max(1, len(loudest)) / max(1, len(sides.pairs))


def abstention(form: str, sides: Sides) -> Table:
    """All answers, for every kind of alarm."""
    rows: list[tuple[Cell, ...]] = []
    for what, alarming in ALARMS.items():
        for limits in LIMITS:
            allowed = f"{limits[0]:g} and {limits[1]:g}"
            threshold = lowest(sides, limits, alarming)
            chosen: Cell = round(threshold, 3) if threshold <= 1 else "none"
            rows.append((what, allowed, f"all: {chosen}", *_shown(at(threshold, sides, alarming), sides)))
            for told, parts in (("four fifths", PARTS // 2), ("nine tenths", PARTS)):
                rows.append((what, allowed, told, *_shown(unseen(sides, limits, alarming, parts), sides)))
    columns = (
        "alarm is",
        "allowed in 10,000",
        "threshold of",
        "% of pairs",
        "right",
        "of",
        "everyday alarms",
        "in 10,000",
        "vaccine alarms",
    )
    note = (
        "Of four fifths or nine tenths: the threshold is that which those posts allow, and the rest is judged. Believe these."
        " Where k alarms are allowed, a threshold that other posts chose has k + 1 on average."
    )
    return Table(f"Share matched at precision {PRECISION}, posts {form}", columns, tuple(rows), note)


def _shown(found: Counts, sides: Sides) -> tuple[Cell, ...]:
    share, everyday = 100 * found.matched / len(sides.pairs), sum(not post.of_vaccines for post in sides.everyday)
    return round(share, 1), found.right, found.matched, found.alarms, round(1e4 * found.alarms / max(1, everyday), 1), found.vaccine_alarms
