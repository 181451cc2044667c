"""Whether a labeler's record is one that apps can show. Pure; what stands in a repo may be anything.

Sources: lexicons app.bsky.labeler.service and com.atproto.label.defs#labelValueDefinition; for what a client ignores
packages/api/src/moderation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from labeler.definitions import Blurs, Setting, Severity
from labeler.policy import RESERVED
from plainsky.config.errors import shown

MEND = "Publish the record anew with `plainsky publish labeler`; where another program wrote it, mend it there."
_KNOWN = {"severity": get_args(Severity), "blurs": get_args(Blurs), "defaultSetting": get_args(Setting)}


def judge_record(record: Mapping[str, Any]) -> tuple[str, str | None]:
    """What to say of the record, and what to mend (None: nothing)."""
    if problems := list(_problems(record)):
        return "; ".join(problems), MEND
    values = record["policies"]["labelValues"]
    return f"it declares {', '.join(values) or 'nothing'}, and takes {_reports(record)}", None


def _reports(record: Mapping[str, Any]) -> str:
    reasons = record.get("reasonTypes")
    return "reports of any reason" if reasons is None else f"reports of {len(reasons)} reasons" if reasons else "no reports"


def _problems(record: Mapping[str, Any]) -> Iterator[str]:
    policies = record.get("policies")
    values = policies.get("labelValues") if isinstance(policies, dict) else None
    if not isinstance(policies, dict) or not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        yield "it has no policies.labelValues"
        return
    given = policies.get("labelValueDefinitions", [])
    entries = [entry for entry in given if isinstance(entry, dict)] if isinstance(given, list) else []
    defined = {name: entry for entry in entries if isinstance(name := entry.get("identifier"), str)}
    for value in values:
        own = re.fullmatch("[a-z-]{1,100}", value)
        if not own and not value.startswith("!"):
            yield f"{shown(value)} is no value that apps take: letters a to z and '-' only"
        elif own and value in defined:
            yield from _odd(value, defined[value])
        elif own and value not in RESERVED:
            yield f"{value} has no definition, so apps ignore it"
    for key in ("reasonTypes", "subjectTypes", "subjectCollections"):
        if not isinstance(record.get(key, []), list):
            yield f"{key} is no list"


def _odd(value: str, definition: Mapping[str, Any]) -> Iterator[str]:
    for key, known in _KNOWN.items():
        if definition.get(key, known[0]) not in known:
            yield f"{value}: {key} is {shown(definition.get(key))}, which apps do not know ({', '.join(known)})"
    locales = definition.get("locales")
    if not isinstance(locales, list) or not locales:
        yield f"{value}: it has no texts (locales)"
