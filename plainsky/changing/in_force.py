"""Since when the rules of each feed have been the same: a line in the table `setting` for each feed, written at a start."""

from collections.abc import Mapping

from models import settings
from models.database import Session

_PREFIX = "rules "


def remember(session: Session, hashes: Mapping[str, str], now: int) -> None:
    """From `now` (µs) on these rules hold, by rkey, unless they did before."""
    for name in settings.named(session, _PREFIX):
        if name.removeprefix(_PREFIX) not in hashes:
            settings.forget(session, name)
    for rkey, rules_hash in hashes.items():
        if since(session, rkey, rules_hash) is None:
            settings.put(session, _PREFIX + rkey, f"{rules_hash} {now}")


def since(session: Session, rkey: str, rules_hash: str) -> int | None:
    """When (µs) a feed's rules became these; None when they are others, or nobody wrote it down."""
    known, _, when = (settings.get(session, _PREFIX + rkey) or "").rpartition(" ")
    return int(when) if known == rules_hash and when else None
