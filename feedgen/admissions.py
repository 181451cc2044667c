"""Reasons for which posts enter feeds, and how each feed comes to stand in one of them only.

Thousands of feeds may want one word, and a post has several words: so reasons are made beforehand, a word at a time, and what a post gets
is a few of these. Only where a feed wants two of its words, a reason of its own is made, and it is taken out of the two.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TypeAlias

import msgspec

from feedgen.rules import Words
from feedgen.text import MAX_WORDS


class Admission(msgspec.Struct, frozen=True, gc=False):
    """One reason for which a post enters feeds: the path of the first include that holds, and what it found (as `text.shown`).

    `feeds` are indexes into the sequence of feeds that the matcher was made of, ascending. Together, since thousands of feeds may want one
    word.
    """

    feeds: tuple[int, ...]
    rule: str
    kind: str
    words: Words


def several(groups: list[tuple[int, ...]]) -> set[int]:
    """What stands in more than one of at least two groups."""
    # Mostly nothing does, and to learn that is most of the work. To look up a member costs half of what it costs to add it to a set.
    groups.sort(key=len)
    biggest = groups.pop()
    seen = set().union(*groups)
    repeated = sum(map(len, groups)) - len(seen)
    again = seen.intersection(biggest)
    return again | _repeated(groups, repeated) if repeated else again


def _repeated(groups: Sequence[tuple[int, ...]], times: int) -> set[int]:
    """What stands in more than one group, when so many members are repetitions."""
    seen: set[int] = set()
    repeated: set[int] = set()
    for group in groups:
        again = seen.intersection(group)
        if again:
            repeated |= again
            times -= len(again)
            if not times:
                break
        seen.update(group)
    return repeated


Places: TypeAlias = tuple[int, ...]
"""Of an admission for one word: where the word stands in the rules of each of its feeds."""


def parted(admitted: Sequence[Admission], slots: Iterable[int], places: Sequence[Places], repeated: set[int]) -> list[Admission]:
    """Admissions for a word each, with every feed that stands in more than one of them in one of its own instead.

    `slots`: for each admission, where in `places` its own stand.
    """
    held: _Held = {feed: [] for feed in repeated}
    left = (_cut_out if len(repeated) <= _FEW else _left_out)(admitted, [*slots], places, held)
    return [one for one in left if one.feeds] + [_merged(feed, found) for feed, found in held.items()]


_Held: TypeAlias = dict[int, list[tuple[int, Admission]]]
"""By feed, the admissions that it stood in, each with the place of its word in the feed's rules."""
_FEW = 4
"""So many are looked for and cut out one by one sooner than all feeds are gone through."""


def _cut_out(admitted: Sequence[Admission], slots: Sequence[int], places: Sequence[Places], held: _Held) -> list[Admission]:
    """The admissions without the feeds of `held`, to which is added where these stood."""
    left = [*admitted]
    for feed, found in held.items():
        for index, one in enumerate(left):
            feeds = one.feeds
            at = bisect_left(feeds, feed)
            if at < len(feeds) and feeds[at] == feed:
                left[index] = _with(one, feeds[:at] + feeds[at + 1 :])
                whole = admitted[index]
                found.append((places[slots[index]][at if one is whole else bisect_left(whole.feeds, feed)], whole))
    return left


def _left_out(admitted: Sequence[Admission], slots: Sequence[int], places: Sequence[Places], held: _Held) -> list[Admission]:
    """As `_cut_out`, in one pass."""
    left = []
    for one, slot in zip(admitted, slots, strict=True):
        for feed, place in zip(one.feeds, places[slot], strict=True):
            if feed in held:
                held[feed].append((place, one))
        left.append(_with(one, tuple([feed for feed in one.feeds if feed not in held])))
    return left


def _with(one: Admission, feeds: tuple[int, ...]) -> Admission:
    return Admission(feeds, one.rule, one.kind, one.words)


def _merged(feed: int, found: list[tuple[int, Admission]]) -> Admission:
    """One admission for the first include of those for which a feed was admitted, each with the place of its word in the feed's rules."""
    found.sort(key=itemgetter(0))
    first = found[0][1]
    rule, words = first.rule, first.words
    for _, one in found[1:]:
        if one.rule == rule and one.words[0] not in words:
            words += one.words
    return Admission((feed,), rule, first.kind, words[:MAX_WORDS])
