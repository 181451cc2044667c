"""XRPC as both rooms speak it: errors in the protocol's shape and query parameters checked by the lexicon's types.

Source: atproto.com/specs/xrpc; error names from the lexicons. Knows no web framework: a query is a mapping that may repeat keys.
"""

import re
from typing import Protocol

import msgspec


class Query(Protocol):
    """A query string's parameters (aiohttp's MultiDict is one)."""

    def getall(self, key: str, default: list[str]) -> list[str]:
        """Every value of the key, in order."""


class XrpcError(Exception):
    """Answered as HTTP `status` with `{"error": name, "message": ...}`; the message is shown to readers, so it is written for them."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.status = status
        self.name = name
        self.message = message

    def body(self) -> bytes:
        """The JSON answer."""
        return msgspec.json.encode({"error": self.name, "message": self.message})


def invalid(message: str) -> XrpcError:
    """A request whose parameters the lexicon does not allow."""
    return XrpcError(400, "InvalidRequest", message)


def one(query: Query, name: str) -> str | None:
    """The value of a parameter that may be given once; None when it is absent."""
    values = query.getall(name, [])
    if len(values) > 1:
        raise invalid(f"parameter '{name}' may be given only once")
    return values[0] if values else None


def required(query: Query, name: str) -> str:
    """The value of a parameter that must be given."""
    value = one(query, name)
    if value is None or value == "":
        raise invalid(f"parameter '{name}' is required")
    return value


def integer(query: Query, name: str, default: int, low: int, high: int) -> int:
    """An integer within the lexicon's bounds; anything else is refused, not clamped."""
    value = one(query, name)
    if value is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", value) or not low <= int(value) <= high:
        raise invalid(f"parameter '{name}' must be a whole number from {low} to {high}, not {value[:40]!r}")
    return int(value)
