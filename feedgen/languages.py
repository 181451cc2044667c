"""Which languages a post is in: what it declares, and, where that says nothing, what its words say.

What is declared is a setting of the author's app, so it is often left out, and now and then wrong.
Promises: a pure function of the post, the same on every machine (CLD2 counts in whole numbers, and its tables have not changed since 2014);
text that is too short or unsure is in no language; the library is loaded when the first post needs it.
Sources: BCP 47 (RFC 5646), ISO 639-1, ISO 15924.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from feedgen.text import CONTROL
from models.post import Post
from models.text import fold, without_addresses

_LIBRARY = "pycld2"
_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,6}")

_ISO_639_1 = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el "
    "en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it "
    "iu iw ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms "
    "mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si "  # codespell:ignore
    "sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh "  # codespell:ignore
    "yi yo za zh zu "
)
_TWO_LETTERS = frozenset(_ISO_639_1.split())
_SAY_NOTHING = frozenset({"und", "mul", "mis", "zxx"})  # codespell:ignore

# Languages that are written in one script. What is declared as one of the others is not called into question.
_LATIN = "af ca cs cy da de en es et eu fi fr ga gl hr hu id is it lb lt lv nb nl no pl pt ro sk sl sv tr vi"
_HAN = "\u3400-\u9fff\U00020000-\U0003ffff"
_SCRIPTS = {
    "A-Za-z\u00aa-\u024f\u1e00-\u1eff": _LATIN,
    "\u0400-\u052f": "be bg mk ru uk",
    "\u0370-\u03ff\u1f00-\u1fff": "el",
    "\u0590-\u05ff": "he iw yi",
    "\u0600-\u06ff\u0750-\u077f": "ar fa ps ur",
    "\u0900-\u097f": "hi mr ne",
    "\u0e00-\u0e7f": "th",
    f"\u3040-\u30ff{_HAN}": "ja",
    f"\u1100-\u11ff\u3130-\u318f\uac00-\ud7af{_HAN}": "ko",
    f"\u3100-\u312f{_HAN}": "yue zh",
}
_LETTERS = {lang: re.compile(f"[{letters}]") for letters, langs in _SCRIPTS.items() for lang in langs.split()}

_CODES = {"iw": "he", "jw": "jv", "sr-ME": "sr"}  # as CLD2 spells them
_HASHTAG = re.compile(r"#\S+")


def spelt(tag: str) -> str:
    """The spelling in which language tags are compared."""
    return tag.strip().lower().replace("_", "-")


def is_tag(tag: str) -> bool:
    """Whether a spelt tag has the form of one."""
    return _TAG.fullmatch(tag) is not None


def declared(post: Post) -> set[str]:
    """Each declared tag and what it specialises: "zh-Hant-TW" is "zh-hant" and "zh" too."""
    return _with_broader(map(spelt, post.langs))


def recognised(post: Post) -> set[str]:
    """As `declared`; where that says nothing, or the text is in another script, the language of the text, when it can be told."""
    langs = [tag for tag in map(spelt, post.langs) if _says_something(tag)]
    # Names and tags are written alike in all languages.
    text = _HASHTAG.sub(" ", without_addresses(fold(post.text)))
    if langs and not _in_another_script(langs, text):
        return _with_broader(langs)
    found = _language_of(text)
    return _with_broader([found] if found else langs)


def can_recognise() -> bool:
    """Whether the library is installed."""
    return find_spec(_LIBRARY) is not None


def _with_broader(tags: Iterable[str]) -> set[str]:
    found = set()
    for tag in tags:
        while tag:
            found.add(tag)
            tag = tag.rpartition("-")[0]
    return found


def _says_something(tag: str) -> bool:
    primary = tag.partition("-")[0]
    return is_tag(tag) and (primary in _TWO_LETTERS or (len(primary) == 3 and primary not in _SAY_NOTHING))


def _in_another_script(langs: list[str], text: str) -> bool:
    """Whether three letters of four are in no script of these languages."""
    letters = sum(map(str.isalpha, text))
    if not letters or any(lang.partition("-")[0] not in _LETTERS or re.search("-[a-z]{4}(?:-|$)", lang) for lang in langs):
        return False
    patterns = {_LETTERS[lang.partition("-")[0]] for lang in langs}
    return all(4 * len(pattern.findall(text)) < letters for pattern in patterns)


@cache
def _library() -> Any:
    return import_module(_LIBRARY)


def _language_of(text: str) -> str | None:
    cld2 = _library()
    try:
        reliable, _, (first, *_) = cld2.detect(CONTROL.sub(" ", text))
    except cld2.error:  # of control characters, and of code points that no text should hold
        return None
    code = _CODES.get(first[1], first[1])
    return code.lower() if reliable and _says_something(code.lower()) else None
