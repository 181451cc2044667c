"""How readers see a label: what stands of it in a `[[labels]]` table, and the definition that a client reads in the labeler's record.

Promise: what is made here fits the lexicon; a label always says what it measures, and that a post without it has not been checked.
Source: lexicon com.atproto.label.defs#labelValueDefinition and #labelValueDefinitionStrings.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, TypeAlias, get_args

from attrs import field, frozen
from attrs.validators import in_

from labeler.texts import texts
from models.graphemes import graphemes
from models.protocol.syntax import is_language

Severity: TypeAlias = Literal["inform", "alert", "none"]
Blurs: TypeAlias = Literal["content", "media", "none"]
Setting: TypeAlias = Literal["ignore", "warn", "hide"]

NAME_GRAPHEMES, NAME_BYTES = 64, 640
DESCRIPTION_GRAPHEMES, DESCRIPTION_BYTES = 10_000, 100_000


def _check_lang(_locale: object, _attribute: Any, lang: str) -> None:
    if not is_language(lang):
        raise ValueError('expected a language tag, like "nl" or "pt-BR"')


def _check_name(_locale: object, _attribute: Any, name: str) -> None:
    _check_length(name, NAME_GRAPHEMES, NAME_BYTES)


def _check_description(_locale: object, _attribute: Any, description: str) -> None:
    _check_length(description, DESCRIPTION_GRAPHEMES, DESCRIPTION_BYTES)


def _check_length(text: str, most: int, most_bytes: int) -> None:
    if not text.strip():
        raise ValueError("expected some words: readers see nothing else of the label")
    if (length := graphemes(text)) > most or len(text.encode()) > most_bytes:
        raise ValueError(f"expected at most {most:,} characters (and {most_bytes:,} bytes), not {length:,}")


@frozen
class Locale:
    """What readers of one language are told."""

    lang: str = field(validator=_check_lang)
    name: str = field(validator=_check_name)
    description: str = field(validator=_check_description)


def _check_locales(_label: object, _attribute: Any, locales: tuple[Locale, ...]) -> None:
    langs = [locale.lang.lower() for locale in locales]
    if twice := sorted({lang for lang in langs if langs.count(lang) > 1}):
        raise ValueError(f"expected one text a language, and there are more in {' and '.join(twice)}")


@frozen(kw_only=True)
class Appearance:
    """The keys of `[[labels]]` that say how a label looks.

    `default_setting` holds until a reader chooses another. Without `locales` it gets texts in English, Dutch and French; of those that are
    given, the first is shown to readers of any other language.
    """

    severity: Severity = field(default="alert", validator=in_(get_args(Severity)))
    blurs: Blurs = field(default="none", validator=in_(get_args(Blurs)))
    default_setting: Setting = field(default="warn", validator=in_(get_args(Setting)))
    adult_only: bool = False
    locales: tuple[Locale, ...] = field(default=(), validator=_check_locales)


def locales_of(value: str, look: Appearance) -> tuple[Locale, ...]:
    """What is told of a label: what the config says, else Plainsky's own words."""
    return look.locales or tuple(Locale(*told) for told in texts(value))


def definition(value: str, look: Appearance) -> dict[str, Any]:
    """The label's labelValueDefinition."""
    return {
        "identifier": value,
        "severity": look.severity,
        "blurs": look.blurs,
        "defaultSetting": look.default_setting,
        "adultOnly": look.adult_only,
        "locales": [{"lang": locale.lang, "name": locale.name, "description": locale.description} for locale in locales_of(value, look)],
    }


def untold(locales: Sequence[Locale], languages: Iterable[str]) -> list[str]:
    """Those of the languages in which nothing is told; a text in "nl" is for readers of "nl-BE", too."""
    told = {locale.lang.lower() for locale in locales}
    return [language for language in dict.fromkeys(languages) if not _reads(language.lower(), told)]


def _reads(language: str, told: Collection[str]) -> bool:
    return language in told or language.partition("-")[0] in {lang.partition("-")[0] for lang in told}
