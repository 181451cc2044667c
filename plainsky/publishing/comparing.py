"""What to do so that the standing records become those of the config, and how that is told. Pure.

Promise: only records that name our service's DID are ever deleted.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from attrs import frozen

from plainsky.config.errors import shown
from plainsky.publishing.records import OURS, Record, merged
from plainsky.publishing.repo import Standing

LONGEST = 400
"""Characters of a value that are shown: a description is shown whole."""

_NAMES = {
    "did": "served by",
    "displayName": "name",
    "descriptionFacets": "marked in it",
    "acceptsInteractions": "wants interactions",
    "labels": "self labels",
    "contentMode": "content mode",
}


@frozen
class Change:
    """What happens to one record: `record` is what is written (None: it is deleted), `standing` what is there (None: nothing)."""

    kind: Literal["create", "update", "delete", "unchanged"]
    rkey: str
    record: Record | None
    standing: Standing | None


@frozen
class Plan:
    """All changes, and the rkeys that are none of our business with the DID that serves each."""

    changes: tuple[Change, ...]
    others: tuple[tuple[str, str], ...]

    @property
    def to_do(self) -> list[Change]:
        """The changes that change something."""
        return [change for change in self.changes if change.kind != "unchanged"]


def plan(wanted: Mapping[str, Record], standing: Mapping[str, Standing], did: str, now_us: int) -> Plan:
    """wanted: what is decided, by rkey; `did` is our service's."""
    changes = [_wanted(rkey, decided, standing.get(rkey), now_us) for rkey, decided in wanted.items()]
    rest = {rkey: there for rkey, there in standing.items() if rkey not in wanted}
    changes += [Change("delete", rkey, None, there) for rkey, there in rest.items() if there.value.get("did") == did]
    others = [(rkey, str(there.value.get("did"))) for rkey, there in rest.items() if there.value.get("did") != did]
    return Plan(tuple(changes), tuple(others))


def _wanted(rkey: str, decided: Record, standing: Standing | None, now_us: int) -> Change:
    record = merged(standing.value if standing else None, decided, now_us)
    if standing is None:
        return Change("create", rkey, record, None)
    return Change("unchanged" if record == standing.value else "update", rkey, record, standing)


def told(plan: Plan) -> list[str]:
    """The plan in plain words, a line for each thing."""
    width = max((len(change.rkey) for change in plan.changes), default=0)
    lines = [line for change in plan.changes for line in _told(change, width)]
    lines += [f"left alone  {rkey}, which {shown(did)} serves" for rkey, did in plan.others]
    return lines or ["No feeds, neither in the config nor in the repo."]


def _told(change: Change, width: int) -> Iterator[str]:
    value = change.record or (change.standing.value if change.standing else {})
    yield f"{change.kind:<10}  {change.rkey:<{width}}  {shown(value.get('displayName'))}"
    if change.kind == "create" and change.record:
        yield from _lines([(key, None, change.record[key]) for key in OURS if key in change.record and key != "displayName"])
    if change.kind == "update" and change.record and change.standing:
        before, after = change.standing.value, change.record
        yield from _lines([(key, before.get(key), after.get(key)) for key in OURS if before.get(key) != after.get(key)])
        if before.get("did") != after["did"]:
            yield "    Note: until now another service serves this feed. Its address and its likes stay."


def _lines(values: Sequence[tuple[str, Any, Any]]) -> Iterator[str]:
    for key, before, after in values:
        name = f"    {_NAMES.get(key, key):<19} "
        if before is not None:
            yield f"{name}{_value(key, before)}"
            name = f"{'->':>23} "
        yield f"{name}{_value(key, after)}"


def _value(key: str, value: Any) -> str:
    """One line for a person; what stands in a repo may be anything."""
    if value is None:
        return "none"
    try:
        return _WORDS[key](value) if key in _WORDS else shown(value, LONGEST)
    except (TypeError, KeyError, ValueError, AttributeError):
        return shown(value, LONGEST)


def _facets(value: Any) -> str:
    features = [feature for facet in value for feature in facet["features"]]
    return shown(", ".join(str(next((part for key, part in feature.items() if key != "$type"), "?")) for feature in features), LONGEST)


_WORDS: Mapping[str, Any] = {
    "descriptionFacets": _facets,
    "avatar": lambda blob: f"{shown(blob['mimeType'])[1:-1]}, {blob['size']:,} bytes (...{shown(blob['ref']['$link'][-8:])[1:-1]})",
    "acceptsInteractions": lambda accepts: "yes" if accepts else "no",
    "labels": lambda labels: shown(", ".join(str(label["val"]) for label in labels["values"]), LONGEST),
    "contentMode": lambda mode: shown(mode.rpartition("#contentMode")[2].lower()),
}
