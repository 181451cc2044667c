"""Events of a small world for the pipeline's tests: a few accounts, posts about gardens, times in whole seconds."""

from models.events import AccountChanged, PostCreated, PostDeleted, PostUpdated, RepoReset
from models.protocol.syntax import format_datetime, tid_of

NOON = 1_795_176_000_000_000
SECOND = 1_000_000


def did(number: int) -> str:
    """The DID of account 0, 1, 2 ..."""
    return "did:plc:" + "abcdefgh"[number] * 24


def at(second: int) -> int:
    """Microseconds of a second after noon."""
    return NOON + second * SECOND


def rkey(number: int) -> str:
    """The record key of post 0, 1, 2 ..."""
    return tid_of(NOON + number * SECOND, 7)


def rev(second: int) -> str:
    """The revision of a commit at a second."""
    return tid_of(at(second), 3)


def uri(author: int, post: int) -> str:
    """The at-uri of an account's post."""
    return f"at://{did(author)}/app.bsky.feed.post/{rkey(post)}"


def record(text: str, second: int) -> dict[str, object]:
    """A record written at a second."""
    return {"$type": "app.bsky.feed.post", "text": text, "createdAt": format_datetime(at(second)), "langs": ["en"]}


def created(author: int, post: int, second: int, text: str = "my #garden", written: int | None = None) -> PostCreated:
    """A post, committed at a second and dated at it too unless `written` says otherwise."""
    body = record(text, second if written is None else written)
    return PostCreated(did(author), rkey(post), rev(second), f"bafyrei{post}v{second}", at(second), body)


def updated(author: int, post: int, second: int, text: str) -> PostUpdated:
    """An edit that keeps the date of the post's number."""
    return PostUpdated(did(author), rkey(post), rev(second), f"bafyrei{post}v{second}", at(second), record(text, post))


def deleted(author: int, post: int, second: int) -> PostDeleted:
    """A deletion."""
    return PostDeleted(did(author), rkey(post), rev(second), at(second))


def account(author: int, second: int, active: bool, status: str | None = None) -> AccountChanged:
    """An account event."""
    return AccountChanged(did(author), active, at(second), status)


def reset(author: int, second: int) -> RepoReset:
    """A #sync."""
    return RepoReset(did(author), rev(second), at(second))
