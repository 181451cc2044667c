"""Claims made up for tests."""

from labeler.claims.reading import claim_id
from models.claims import Claim, Wording

NOW = 1_790_000_000_000_000


def claim(text: str = "Cheese from Ghent cures hiccups", lang: str = "en", **fields: object) -> Claim:
    """A claim of one wording."""
    given = {"rating": "False", "publisher": "Ghent Checks", "lang": lang, "source": "test", "imported_at": NOW, **fields}
    id = claim_id(text, str(given["publisher"]), given.get("url"))  # type: ignore[arg-type]
    return Claim(**{"id": id, "wordings": (Wording(text, lang),), **given})  # type: ignore[arg-type]
