"""How a labeler makes itself known: the parts of its DID document, and the record that says what it labels and which reports it takes.

Sources: atproto.com/specs/label ("Labeler Service Identity": a verifier must not fall back to the `#atproto` key), lexicons
app.bsky.labeler.service and app.bsky.labeler.defs#labelerPolicies.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

from attrs import field, frozen
from attrs.validators import deep_iterable, in_

from labeler.definitions import definition
from labeler.keys import public_key_multibase
from labeler.policy import LabelPolicy
from models.duration import Duration, duration
from models.protocol.k256 import PublicKey
from models.protocol.syntax import is_nsid

COLLECTION = "app.bsky.labeler.service"
RKEY = "self"
KEY_ID, SERVICE_ID, SERVICE_TYPE = "#atproto_label", "#atproto_labeler", "AtprotoLabeler"

SubjectType: TypeAlias = Literal["account", "record"]

_OLD, _NEW = "com.atproto.moderation.defs", "tools.ozone.report.defs"
REASONS = (
    f"{_OLD}#reasonMisleading",
    f"{_OLD}#reasonAppeal",
    f"{_NEW}#reasonMisleadingElections",
    f"{_NEW}#reasonMisleadingOther",
    f"{_NEW}#reasonAppeal",
)
"""What a labeler that checks claims wants to hear of: appeals, in both spellings, and misleading posts. Apps send nothing else to it."""


def _check_reason(_reports: object, _attribute: Any, reason: str) -> None:
    nsid, hash, name = reason.partition("#")
    if not (is_nsid(nsid) and hash and name):
        raise ValueError(f'expected a reason type, like "{REASONS[0]}"')


def _check_collection(_reports: object, _attribute: Any, collection: str) -> None:
    if not is_nsid(collection):
        raise ValueError('expected a collection, like "app.bsky.feed.post"')


def _check_limit(_reports: object, _attribute: Any, limit: int) -> None:
    if isinstance(limit, bool) or not 1 <= limit <= 100_000:
        raise ValueError("expected a number from 1 to 100000")


def _check_keep(_reports: object, _attribute: Any, keep: Duration) -> None:
    if not duration("1d") <= keep <= duration("52w"):
        raise ValueError("expected between 1d and 52w: limits count a day, and reporters are owed that they are forgotten")


@frozen
class Reports:
    """`[labeler.reports]`: which reports apps may send us. Empty `reason_types`: none, and then no appeals either."""

    reason_types: tuple[str, ...] = field(default=REASONS, validator=deep_iterable(_check_reason))
    subject_types: tuple[SubjectType, ...] = field(default=("account", "record"), validator=deep_iterable(in_(get_args(SubjectType))))
    subject_collections: tuple[str, ...] = field(default=("app.bsky.feed.post",), validator=deep_iterable(_check_collection))
    per_reporter: int = field(default=50, validator=_check_limit)
    """Reports that an account may send in a day,"""
    per_subject: int = field(default=100, validator=_check_limit)
    """and that are taken of one subject in a day."""
    keep_reporters: Duration = field(default=duration("30d"), validator=_check_keep)
    """Who reported, and in which words, is forgotten after this time."""


def did_document_parts(did: str, key: PublicKey, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """The `verificationMethod` and `service` of the DID document; `endpoint` is the service's https URL without a path."""
    return {
        "verificationMethod": [
            {
                "id": f"{did}{KEY_ID}",
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": public_key_multibase(key),
            }
        ],
        "service": [{"id": SERVICE_ID, "type": SERVICE_TYPE, "serviceEndpoint": endpoint}],
    }


def service_record(policies: Sequence[LabelPolicy], reports: Reports) -> dict[str, Any]:
    """What the config decides of the record `app.bsky.labeler.service/self`; createdAt is not of it.

    Labels in shadow mode are declared, too: clients ignore a label that is not, and their record is cached.
    """
    return {
        "$type": COLLECTION,
        "policies": {
            "labelValues": [policy.value for policy in policies],
            "labelValueDefinitions": [definition(policy.value, policy) for policy in policies],
        },
        "reasonTypes": list(reports.reason_types),
        "subjectTypes": list(reports.subject_types),
        "subjectCollections": list(reports.subject_collections),
    }
