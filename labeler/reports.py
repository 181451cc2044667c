"""What a report says, and whether this labeler takes it: reason types old and new, accounts and records. Pure.

Promise: whatever comes in, nothing but XrpcError is raised, and its message is written for whoever reports.
Sources: lexicons com.atproto.moderation.createReport, com.atproto.moderation.defs#reasonType and tools.ozone.report.defs#reasonType;
NEW_TO_OLD_REASON_MAPPING of the reference labeler (bluesky-social/atproto packages/ozone/src/mod-service/profile.ts).
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from labeler.declaration import Reports
from models.graphemes import graphemes
from models.protocol.syntax import did_of, is_cid, is_did, parse_at_uri
from models.protocol.xrpc import XrpcError, invalid

NSID = "com.atproto.moderation.createReport"
ACCOUNT, RECORD = "com.atproto.admin.defs#repoRef", "com.atproto.repo.strongRef"
LONGEST, LONGEST_BYTES = 2_000, 20_000
"""Graphemes and bytes of what is said (the lexicon's)."""

_OLD, _NEW = "com.atproto.moderation.defs#reason", "tools.ozone.report.defs#reason"
_KINDS: Mapping[str, tuple[str, ...]] = {
    "Spam": ("MisleadingSpam",),
    "Violation": (
        *("ViolenceAnimal", "ViolenceThreats", "ViolenceGraphicContent", "ViolenceGlorification", "ViolenceExtremistContent"),
        *("ViolenceTrafficking", "ViolenceOther", "ChildSafetyCSAM", "ChildSafetyGroom", "ChildSafetyPrivacy", "ChildSafetyHarassment"),
        *("ChildSafetyOther", "RuleSiteSecurity", "RuleProhibitedSales", "RuleBanEvasion", "RuleOther", "SelfHarmContent", "SelfHarmED"),
        *("SelfHarmStunts", "SelfHarmSubstances", "SelfHarmOther"),
    ),
    "Misleading": ("MisleadingBot", "MisleadingImpersonation", "MisleadingScam", "MisleadingElections", "MisleadingOther"),
    "Sexual": (*("SexualAbuseContent", "SexualNCII", "SexualDeepfake", "SexualAnimal", "SexualUnlabeled", "SexualOther"),),
    "Rude": ("HarassmentTroll", "HarassmentTargeted", "HarassmentHateSpeech", "HarassmentDoxxing", "HarassmentOther"),
    "Other": ("Other",),
    "Appeal": ("Appeal",),
}
OLD_OF: Mapping[str, str] = {f"{_NEW}{new}": f"{_OLD}{old}" for old, names in _KINDS.items() for new in names}
"""Each of the new reason types with the old one that it is a part of."""
REASON_TYPES = frozenset({*OLD_OF, *OLD_OF.values()})
APPEALS = frozenset({f"{_OLD}Appeal", f"{_NEW}Appeal"})


class Subject(msgspec.Struct, frozen=True):
    """What is reported: a record by its at-uri and version, or an account by its DID."""

    uri: str
    cid: str = ""

    @property
    def author(self) -> str:
        """The account whose it is."""
        return did_of(self.uri)

    def told(self) -> dict[str, str]:
        """As the protocol spells it."""
        return {"$type": RECORD, "uri": self.uri, "cid": self.cid} if self.cid else {"$type": ACCOUNT, "did": self.uri}


class Reported(msgspec.Struct, frozen=True):
    """A report that can be taken."""

    reason_type: str
    subject: Subject
    said: str | None = None

    @property
    def is_appeal(self) -> bool:
        """In either spelling."""
        return self.reason_type in APPEALS


class _Tool(msgspec.Struct):
    name: str
    meta: msgspec.Raw = msgspec.Raw(b"{}")


class _Input(msgspec.Struct):
    """The lexicon's input; with which tool somebody reports is no concern of ours."""

    reasonType: str  # noqa: N815 the lexicon's name
    subject: dict[str, Any]
    reason: str | None = None
    modTool: _Tool | None = None  # noqa: N815 the lexicon's name


_INPUT = msgspec.json.Decoder(_Input)


def reported(body: bytes, reports: Reports) -> Reported:
    """The report in a request's body. XrpcError (400) says why it is not taken."""
    try:
        given = _INPUT.decode(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"This is no report: {str(error)[:200]}.") from None
    if given.reasonType not in REASON_TYPES or not takes(given.reasonType, reports.reason_types):
        raise invalid("This labeler takes no reports for that reason. Its profile says which it takes.")
    said = (given.reason or "").replace("\0", "").strip() or None  # PostgreSQL has no NUL in texts
    if said and (len(said.encode()) > LONGEST_BYTES or graphemes(said) > LONGEST):
        raise invalid(f"The explanation is too long: at most {LONGEST:,} characters.")
    found = Reported(given.reasonType, _subject(given.subject), said)
    if not found.is_appeal:
        _check_kind(found.subject, reports)
    return found


def takes(reason_type: str, declared: Collection[str]) -> bool:
    """A labeler that declares these takes that one: itself, the old one that it is a part of, or for an old one any part of it."""
    parts = {new for new, old in OLD_OF.items() if old == reason_type}
    return not {reason_type, OLD_OF.get(reason_type, reason_type), *parts}.isdisjoint(declared)


def _subject(given: Mapping[str, Any]) -> Subject:
    kind = given.get("$type")
    if isinstance(kind, str) and kind.startswith("chat.bsky."):
        raise invalid("Private messages cannot be reported here: this labeler does not read them, and has no say about them.")
    if kind == ACCOUNT and is_did(did := _text(given, "did")):
        return Subject(did)
    if kind == RECORD:
        uri, cid = _text(given, "uri"), _text(given, "cid")
        parsed = parse_at_uri(uri)
        if parsed and parsed.rkey and is_did(parsed.authority) and is_cid(cid):
            return Subject(uri, cid)
    raise invalid("What is reported must be an account by its DID, or a record by its at-uri (with its author's DID) and cid.")


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    return value if isinstance(value, str) and len(value) <= 8_192 else ""


def _check_kind(subject: Subject, reports: Reports) -> None:
    kind = "record" if subject.cid else "account"
    if kind not in reports.subject_types:
        raise invalid(f"This labeler takes no reports of {kind}s.")
    parsed = parse_at_uri(subject.uri) if subject.cid else None
    if parsed and reports.subject_collections and parsed.collection not in reports.subject_collections:
        raise invalid(f"This labeler takes no reports of records like this one, only of {', '.join(reports.subject_collections)}.")


def too_many(message: str) -> XrpcError:
    """A limit was reached."""
    return XrpcError(429, "RateLimitExceeded", message)
