"""Secrets do not belong in a file that is shown, copied and committed: found here, they are refused and never repeated."""

import re
from collections.abc import Iterator
from typing import Any

from plainsky.config.errors import Path, Problem

DEEPEST = 50
"""Tables and lists within each other; nobody writes more, and what follows would run out of stack."""

_NAMES = {"passwd", "passphrase", "token", "credentials", "privatekey", "signingkey", "key", "jwt"}
_NAME_PARTS = {"password", "secret", "secrets", "token", "private", "credential", "apikey"}

_PRIVATE_KEY = re.compile(
    r"(?:0x)?[0-9a-fA-F]{64}"  # 32 bytes in hexadecimal
    r"|z(?:3vL|42t|42u)[1-9A-HJ-NP-Za-km-z]{43}"  # k256 and p256 private keys as multibase (multicodec 0x1301 and 0x1306)
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
    re.DOTALL,
)
_APP_PASSWORD = re.compile(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}")
_LOGIN_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@.*", re.DOTALL)
_LOGIN_IN_DATABASE_URL = re.compile(r"postgres(?:ql)?://.*(?::.*@|[?&](?:pass|ssl)?password=).*", re.DOTALL)


def walk(tables: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every value of the file with its path, tables and lists included, down to one level below `DEEPEST`."""
    waiting: list[tuple[Path, Any]] = [((), tables)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        if len(path) > DEEPEST:
            continue
        if isinstance(value, dict):
            waiting += [((*path, key), part) for key, part in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), part) for index, part in enumerate(value)]


def secrets_in(tables: dict[str, Any]) -> list[Problem]:
    """What looks like a secret, by its key or by its value."""
    return [Problem(path, what) for path, value in walk(tables) if (what := _refusal(path, value))]


def _refusal(path: Path, value: Any) -> str | None:
    if not path or isinstance(value, dict):
        return None
    if isinstance(value, str) and (_LOGIN_IN_DATABASE_URL.fullmatch(value) or _LOGIN_IN_URL.fullmatch(value)):
        advice = "put the URL in the environment: PLAINSKY_STORE_URL" if path[0] == "store" else "write the address without it"
        return f"a password may not stand in this file: {advice}"
    if _named_as_secret(path[-1]) or (isinstance(value, str) and _looks_secret(path, value)):
        return f"a secret may not stand in this file: put it in {_place(path, value)}"
    return None


_KEY_PLACE = "a file that key_file names, or in the environment: PLAINSKY_LABELER_KEY"
_PASSWORD_PLACE = "the environment: PLAINSKY_{who}_PASSWORD (or in a file that PLAINSKY_{who}_PASSWORD_FILE names)"  # noqa: S105


def _place(path: Path, value: Any) -> str:
    who = "LABELER" if path[0] == "labeler" else "PUBLISHER"
    return _PASSWORD_PLACE.format(who=who) if _is_password(path[-1], value) else _KEY_PLACE


def _is_password(key: str | int, value: Any) -> bool:
    return "password" in str(key).lower() or (isinstance(value, str) and _APP_PASSWORD.fullmatch(value) is not None)


def _named_as_secret(key: str | int) -> bool:
    if isinstance(key, int):
        return False
    words = re.split(r"[^a-z0-9]+", key.lower())
    return key.lower() in _NAMES or (not _NAME_PARTS.isdisjoint(words) and words[-1] not in ("file", "path"))


def _looks_secret(path: Path, value: str) -> bool:
    if _PRIVATE_KEY.fullmatch(value.strip()):
        return True
    return path[0] != "feeds" and _APP_PASSWORD.fullmatch(value) is not None  # a feed may look for any words
