"""What share of posts is matched at a threshold that keeps its promise: right 99 times of 100, and hardly ever on an everyday post.

Two answers: the lowest threshold at which all posts together keep it, as one who knows the answers would set it; and, honest, each fifth
of the posts judged at the threshold that the other four allow.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from labeler.training.report import Cell, Table

PRECISION = 0.99
LIMITS = ((1.0, 2.0), (3.5, 6.7))
"""False alarms allowed in 10,000: (everyday posts, posts about vaccines)."""


class Judged(NamedTuple):
    """The first candidate of a post: its similarity (0 when there is none), whether it is right, whether its claim is rated false."""

    similarity: float
    right: bool
    rated_false: bool


class Post(NamedTuple):
    """An everyday post: its first candidate, the part of the cross-validation, what it is about, and whether it says what a claim says."""

    judged: Judged
    fold: int
    of_vaccines: bool
    states: bool


class Sides(NamedTuple):
    """First candidates of pairs, each with its part of the cross-validation, and everyday posts."""

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


def unseen(sides: Sides, limits: tuple[float, float], alarming: Alarming) -> Counts:
    """Each part of the cross-validation, judged at the threshold that the others allow."""
    found = []
    for fold in sorted({fold for _, fold in sides.pairs}):
        rest, held = (
            Sides(
                [pair for pair in sides.pairs if (pair[1] == fold) is wanted],
                [post for post in sides.everyday if (post.fold == fold) is wanted],
            )
            for wanted in (False, True)
        )
        found.append(at(lowest(rest, limits, alarming), held, alarming))
    return Counts(*map(sum, zip(*found, strict=True)))


def abstention(form: str, sides: Sides) -> Table:
    """Both answers, for every kind of alarm."""
    rows: list[tuple[Cell, ...]] = []
    for what, alarming in ALARMS.items():
        for limits in LIMITS:
            allowed = f"{limits[0]:g} and {limits[1]:g}"
            threshold = lowest(sides, limits, alarming)
            chosen: Cell = round(threshold, 3) if threshold <= 1 else "none"
            rows.append((what, allowed, f"all: {chosen}", *_shown(at(threshold, sides, alarming), sides)))
            rows.append((what, allowed, "the others", *_shown(unseen(sides, limits, alarming), sides)))
    columns = ("alarm is", "allowed in 10,000", "threshold of", "% of pairs", "right", "of", "everyday alarms", "vaccine alarms")
    note = 'Believe "the others": the threshold is that which four fifths of the posts allow, and the fifth is judged.'
    return Table(f"Share matched at precision {PRECISION}, posts {form}", columns, tuple(rows), note)


def _shown(found: Counts, sides: Sides) -> tuple[Cell, ...]:
    share = round(100 * found.matched / len(sides.pairs), 1)
    return share, found.right, found.matched, found.alarms, found.vaccine_alarms
