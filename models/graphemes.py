"""How many characters a person sees: lexicons limit names and descriptions in graphemes.

Close to Unicode's extended grapheme clusters (UAX #29) without its tables: marks, joiners, flags and skin tones are counted with what
they belong to.
"""

import re
import unicodedata

_REGIONAL = r"[\U0001F1E6-\U0001F1FF]"
_EXTENDING = re.compile(r"[\u200C\u200D\uFE00-\uFE0F\U0001F3FB-\U0001F3FF\U000E0020-\U000E007F]")
_JOINED = re.compile(rf"\r\n|{_REGIONAL}{{2}}|\u200D.", re.DOTALL)


def graphemes(text: str) -> int:
    """The number of graphemes in the text."""
    # Each pair that is seen as one is told by one letter; after a joiner, by the joiner, which counts for nothing.
    single = _JOINED.sub(lambda found: "\u200d" if found[0][0] == "\u200d" else "x", unicodedata.normalize("NFC", text))
    return sum(1 for character in single if not _extends(character))


def _extends(character: str) -> bool:
    return unicodedata.category(character).startswith("M") or _EXTENDING.match(character) is not None
