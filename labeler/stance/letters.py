"""Letters as they are meant: what looks like "not" is read as "not", however it is typed.

Promises: pure, never raises, linear in the text's length.
"""

import re

MOCKING = 2
"""Words in changing case from which on it is a tone of voice; a single one may be a name."""

_STRUCK = re.compile("[\u0334-\u0338]")
_MARKS = re.compile("[\u0300-\u036f]")
_SWITCHING = re.compile(r"(?<![#@\w])(?:(?:[a-z][A-Z]){2,20}[a-z]?|(?:[A-Z][a-z]){2,20}[A-Z]?|[a-z][A-Z][a-z])(?!\w)")
_SPACED = re.compile(r"(?<![^\W_])[a-z] [a-z] (?:[a-z] ){0,18}[a-z](?![^\W_])")
_APART = re.compile(r"\b(do|does|did|is|are|was|were|would|could|should|has|have|had|ai)n ?'? ?t\b")
_ALONE = re.compile(r" '? ?t\b")
_WITH_DIGIT = re.compile("[a-z][01345][a-z]")
_WITH_DIGITS = re.compile(r"[a-z]{1,20}(?:[01345][a-z]{1,20}){1,5}")
_OF_SCRIPTS = re.compile(r"[^\W\d_]{0,20}(?:[a-z][\u0370-\u058f]|[\u0370-\u058f][a-z])[^\W\d_]{0,20}")
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SIGNS = str.maketrans(
    dict.fromkeys("\u00b4`\u2018\u201a\u201b\u02b9\u02bc\u2032", "'") | dict.fromkeys("\u2039\u203a", '"') | {"\u061f": "?"}
)
# Letters of Cyrillic, Greek and Armenian, and digits, that stand for Latin ones; and small capitals.
_ALIKE = {
    ord(sign): letter
    for letter, signs in {
        "a": "4\u0430\u03b1", "b": "\u03b2", "c": "\u0441", "d": "\u0501", "e": "3\u0435\u03b5", "h": "\u04bb", "i": "1\u0456\u03b9",
        "j": "\u0458", "k": "\u043a\u03ba", "l": "\u04cf", "m": "\u043c", "n": "\u0578", "o": "0\u043e\u03bf", "p": "\u0440\u03c1",
        "q": "\u051b", "s": "5\u0455", "t": "\u0442\u03c4", "u": "\u03c5", "v": "\u03bd\u0475", "w": "\u0461",
        "x": "\u0445\u03c7", "y": "\u0443",
    }.items()
    for sign in signs
}  # fmt: skip
_SMALL_CAPITALS = {
    ord(sign): letter
    for letter, sign in zip(
        "abcdeghijklmnoprstuvwyz",
        "\u1d00\u0299\u1d04\u1d05\u1d07\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274\u1d0f\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22",
        strict=True,
    )
}


def upright(text: str) -> str:
    """A text, not folded yet, without unseen signs, and with one sign for all that are typed as an apostrophe or a question mark."""
    return text if text.isascii() and "`" not in text else _UNSEEN.sub("", text.translate(_SIGNS))


def legible(folded: str) -> str:
    """A folded text without marks heaped on letters, with Latin letters for those that look alike, and with spaced-out words together."""
    if not folded.isascii():
        folded = _MARKS.sub("", folded).translate(_SMALL_CAPITALS)
        folded = _OF_SCRIPTS.sub(lambda found: found[0].translate(_ALIKE), folded)
    if _WITH_DIGIT.search(folded):
        folded = _WITH_DIGITS.sub(lambda found: found[0].translate(_ALIKE), folded)
    folded = _SPACED.sub(lambda found: found[0].replace(" ", ""), folded)
    return _APART.sub(r"\1n't", folded) if _ALONE.search(folded) else folded


def is_mocking(text: str) -> bool:
    """Whether a text is in cHaNgInG cAsE, or letters of it are struck through."""
    return len(_SWITCHING.findall(text)) >= MOCKING or _STRUCK.search(text) is not None
