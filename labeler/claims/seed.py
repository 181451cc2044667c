"""The claims that ship with Plainsky (`seed.json`): widely debunked ones, worded in English, Dutch, French and German.

They are in the project's own words. A publisher and a fact-check are named only where they are certain; the rating of the others says
what every fact-checker says of them.
"""

from importlib.resources import files
from typing import TypeAlias

import msgspec

from labeler.claims.reading import claim_id
from models.claims import Claim, Wording

LANGUAGES = ("en", "nl", "fr", "de")
RATING = "False"
SOURCE = "seed"


class SeedClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One claim of the file: its wordings, in each of the languages at least one."""

    en: tuple[str, ...]
    nl: tuple[str, ...]
    fr: tuple[str, ...]
    de: tuple[str, ...]
    publisher: str = ""
    url: str | None = None


Seed: TypeAlias = dict[str, tuple[SeedClaim, ...]]
"""Claims by topic."""


def by_topic() -> Seed:
    """The file as it stands."""
    return msgspec.json.decode((files(__package__) / "seed.json").read_bytes(), type=Seed)


def claims(now: int) -> list[Claim]:
    """Every claim, in the file's order; `now` in microseconds."""
    return [_claim(one, now) for topic in by_topic().values() for one in topic]


def _claim(one: SeedClaim, now: int) -> Claim:
    return Claim(
        id=claim_id(one.en[0], one.publisher, one.url),
        wordings=tuple(Wording(text, lang) for lang in LANGUAGES for text in getattr(one, lang)),
        rating=RATING,
        publisher=one.publisher,
        url=one.url,
        lang="en",
        source=SOURCE,
        imported_at=now,
    )
