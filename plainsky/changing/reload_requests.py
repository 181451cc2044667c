"""How `plainsky reload` and the running service talk: one row of the table `setting`, which both can reach."""

from typing import Literal, TypeAlias

import msgspec

from models import settings
from models.database import Session

State: TypeAlias = Literal["asked", "taken", "done", "refused"]
_SETTING = "reload"


class Request(msgspec.Struct, frozen=True):
    """What somebody asked, and what came of it: `text` is for him."""

    id: str
    reason: str
    state: State = "asked"
    text: str = ""


def ask(session: Session, request: Request) -> None:
    """Write down a request, or what came of it."""
    settings.put(session, _SETTING, msgspec.json.encode(request).decode())


def asked(session: Session) -> Request | None:
    """The last request."""
    kept = settings.get(session, _SETTING)
    return msgspec.json.decode(kept, type=Request) if kept else None


def withdraw(session: Session, id: str) -> None:
    """Whoever asked waits no more."""
    last = asked(session)
    if last and last.id == id:
        settings.forget(session, _SETTING)
