"""What a person may put a label on: posts that are there, in the version that is there, and accounts where the config allows it.

Promise: nothing is labelled that could not lose the label again. Of posts and accounts the stream tells when they change or go; of records
of other kinds it tells nothing, and a label on them would outlive its reason.
"""

from labeler.policy import LabelPolicy
from models import accounts, looking
from models.database import Session
from models.post import POST
from models.protocol.syntax import AtUri, did_of, is_cid, is_did, parse_at_uri

PROFILE = "app.bsky.actor.profile"


class Refused(ValueError):
    """This cannot be decided; the message says why, for the person who tried."""


def is_account(uri: str) -> bool:
    """A label on it is shown on the account, not on one of its posts."""
    parsed = parse_at_uri(uri)
    return parsed is None or parsed.collection == PROFILE


def check_subject(src_did: str, uri: str, cid: str | None, policy: LabelPolicy) -> None:
    """Refuse what is no subject of this label, whether it exists or not."""
    parsed = None if is_did(uri) else parse_at_uri(uri)
    if not is_did(uri) and (parsed is None or not parsed.rkey or not is_did(parsed.authority)):
        raise Refused(f"{uri}: expected a DID, or a record's at-uri that begins with its author's DID")
    if cid is not None and (is_did(uri) or not is_cid(cid)):
        raise Refused(f"{cid}: expected the cid of a version of the record; an account has none")
    if parsed and parsed.collection not in (POST, PROFILE):
        raise Refused(f"only posts and accounts are labelled: nobody would hear when a record of the kind {parsed.collection} changes")
    if is_account(uri) and "account" not in policy.targets:
        raise Refused(f'"{policy.value}" is for posts only: its config has no targets = ["post", "account"]')
    if did_of(uri) == src_did:
        raise Refused("clients never show a labeler's labels on itself or on its own posts")


def check_there(session: Session, uri: str, cid: str | None) -> None:
    """Refuse what is known to be gone, and a version that is not the present one: nothing would tell when to take the label back."""
    did = did_of(uri)
    account = accounts.find(session, [did]).get(did)
    if account and account.gone:
        raise Refused("the account was deleted")
    parsed = parse_at_uri(uri)
    if parsed and parsed.collection == POST:
        _check_post(session, parsed, cid)


def _check_post(session: Session, uri: AtUri, cid: str | None) -> None:
    stored = looking.stored(session, uri.authority, uri.rkey or "")
    if stored and stored.deleted:
        raise Refused("the post was deleted")
    if stored and cid and cid != stored.cid:
        raise Refused(f"the post was edited since: its present version is {stored.cid}")
