"""Makes one claim of several reports of it. Pure.

Two reports are of one claim when they come from one publisher and have a wording in common, or are from one page and agree on the rating
(a page that reviews a whole debate holds true and false claims: those stay apart). Where they differ, the later fact-check counts: it
may be a correction; the address stays the one that was known first.
Nothing that was read is lost but for bounds, a retired claim stays retired, and merging again changes nothing.
"""

from collections.abc import Iterable, Sequence

import msgspec

from models.claims import Claim, Wording, wording_key

MOST_WORDINGS = 40


def merged(known: Iterable[Claim], new: Iterable[Claim]) -> list[Claim]:
    """The claims that are new or changed, each id once, in order of their first appearance."""
    bank = _Bank(known)
    for claim in new:
        bank.add(claim)
    return bank.changed()


class _Bank:
    def __init__(self, known: Iterable[Claim]) -> None:
        self._claims: dict[str, Claim] = {}
        self._by_trait: dict[tuple[str, ...], dict[str, None]] = {}
        self._touched: dict[str, None] = {}
        for claim in known:
            self._keep(claim)

    def add(self, claim: Claim) -> None:
        # A report may share its wording with one claim and its page with another: it belongs to the one that already holds all of it.
        ids = {id: None for trait in _traits(claim) for id in self._by_trait.get(trait, ())} or {claim.id: None}
        known = min((self._claims[id] for id in ids if id in self._claims), key=lambda one: not _holds(one, claim), default=None)
        result = claim if known is None else _one(known, claim)
        if result != known:
            self._touched[result.id] = None
            self._keep(result)

    def changed(self) -> list[Claim]:
        return [self._claims[id] for id in self._touched]

    def _keep(self, claim: Claim) -> None:
        self._claims[claim.id] = claim
        for trait in _traits(claim):
            self._by_trait.setdefault(trait, {})[claim.id] = None


def _traits(claim: Claim) -> list[tuple[str, ...]]:
    """What a claim shares with every other report of it."""
    publisher = wording_key(claim.publisher)
    traits: list[tuple[str, ...]] = [(publisher, wording_key(wording.text)) for wording in claim.wordings]
    if claim.url:
        traits.append((claim.url, wording_key(claim.rating), ""))
    return traits


def _holds(known: Claim, report: Claim) -> bool:
    keys = {wording_key(wording.text) for wording in known.wordings}
    return (
        known.rating == report.rating and report.url in (None, known.url) and all(wording_key(text) in keys for text, _ in report.wordings)
    )


def _one(known: Claim, new: Claim) -> Claim:
    later, earlier = (new, known) if (new.reviewed_on or "") >= (known.reviewed_on or "") else (known, new)
    return msgspec.structs.replace(
        known,
        wordings=_wordings(known.wordings, new.wordings),
        rating=later.rating,
        url=known.url or new.url,
        reviewed_on=later.reviewed_on or earlier.reviewed_on,
        lang=later.lang or earlier.lang,
        title=later.title or earlier.title,
        summary=later.summary or earlier.summary,
    )


def _wordings(first: Sequence[Wording], then: Sequence[Wording]) -> tuple[Wording, ...]:
    """Each wording once; a language that only one of two equal ones tells is kept."""
    found: dict[str, Wording] = {}
    for wording in (*first, *then):
        key = wording_key(wording.text)
        known = found.get(key)
        if known is None or (not known.lang and wording.lang):
            found[key] = wording if known is None else known._replace(lang=wording.lang)
    return tuple(list(found.values())[:MOST_WORDINGS])
