"""schema.org ClaimReview as it is found in the wild: JSON-LD with @graph, the DataCommons feed, the answers of Google's Fact Check Tools.

Nothing is taken for granted: any value may be missing, a list, an object or of a wrong type.
Sources: schema.org/ClaimReview, developers.google.com/search/docs/appearance/structured-data/factcheck,
developers.google.com/fact-check/tools/api/reference/rest/v1alpha1/claims, datacommons.org/factcheck/download.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from labeler.claims import cleaning

DEEPEST = 12
"""Levels of lists and objects that are searched for reviews."""
NODES = 5_000_000


class Draft(NamedTuple):
    """A review as read: its texts are clean, whether it is one of a claim is not checked yet."""

    wording: str
    rating: str
    publisher: str = ""
    url: str | None = None
    reviewed_on: str | None = None
    lang: str = ""
    title: str = ""
    summary: str = ""


def drafts(document: Any) -> Iterator[Draft]:
    """Every review anywhere in a JSON document."""
    named = _by_id(document)
    for node in _nodes(document):
        if _is_claim_review(node):
            yield _of_schema(node, named)
        elif isinstance(node.get("claimReview"), list) and "text" in node:
            yield from _of_google(node)


def _nodes(document: Any) -> Iterator[dict[str, Any]]:
    """Objects, in the document's order; what stands within a review is not searched."""
    left = [(document, DEEPEST)]
    for _ in range(NODES):
        if not left:
            return
        value, depth = left.pop()
        if isinstance(value, dict):
            yield value
            within = () if _is_claim_review(value) else tuple(value.values())
        else:
            within = tuple(value) if isinstance(value, list) else ()
        if depth:
            left += [(part, depth - 1) for part in reversed(within) if isinstance(part, dict | list)]


def _is_claim_review(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return "claimReviewed" in node or any(
        isinstance(kind, str) and kind.rpartition("/")[2].rpartition(":")[2] == "ClaimReview" for kind in kinds
    )


def _by_id(document: Any) -> dict[str, dict[str, Any]]:
    """Objects of a @graph that others only refer to."""
    if not isinstance(document, dict) or "@graph" not in document:
        return {}
    return {node["@id"]: node for node in _nodes(document["@graph"]) if isinstance(node.get("@id"), str) and len(node) > 1}


def _of_schema(node: dict[str, Any], named: dict[str, dict[str, Any]]) -> Draft:
    def get(key: str) -> Any:
        value = node.get(key)
        reference = value.get("@id") if isinstance(value, dict) else None
        return named.get(reference, value) if isinstance(reference, str) else value

    url = cleaning.link(get("url")) or cleaning.link(get("mainEntityOfPage")) or cleaning.link(get("@id"))
    return Draft(
        wording=cleaning.text(get("claimReviewed")) or cleaning.text(get("itemReviewed")),
        rating=_rating(get("reviewRating")),
        publisher=_publisher(get("publisher")) or _publisher(get("author")) or cleaning.host(url),
        url=url,
        reviewed_on=cleaning.day(get("datePublished")) or cleaning.day(get("dateModified")) or cleaning.day(get("dateCreated")),
        lang=cleaning.language(get("inLanguage")) or cleaning.language(_language(get("claimReviewed"))),
        title=cleaning.text(get("headline")) or cleaning.text(get("name")),
        summary=cleaning.text(get("description")),
    )


def _language(value: Any) -> Any:
    """Of a JSON-LD value that says it, or of the first of several."""
    first = value[0] if isinstance(value, list) and value else value
    return first.get("@language") if isinstance(first, dict) else None


def _publisher(value: Any) -> str:
    name = cleaning.text(value, 200)
    return cleaning.host(cleaning.link(name)) or name


def _rating(value: Any) -> str:
    """The verdict in words; a number without words is kept as "1/5", which means nothing until the config says so."""
    if isinstance(value, list):
        return next((rating for part in value[:20] if (rating := _rating(part))), "")
    if not isinstance(value, dict):
        return cleaning.text(value, 300)
    words = cleaning.text(value.get("alternateName"), 300) or cleaning.text(value.get("name"), 300)
    if words:
        return words
    number, best = _number(value.get("ratingValue")), _number(value.get("bestRating"))
    return f"{number}/{best}" if number and best else number


def _number(value: Any) -> str:
    """A number, or (where a site puts its words into ratingValue) the words."""
    return f"{value:g}" if isinstance(value, int | float) and abs(value) < 1e6 else cleaning.text(value, 300)


def _of_google(node: dict[str, Any]) -> Iterator[Draft]:
    """One claim of the answer of claims:search, with its reviews."""
    for review in node["claimReview"][:100]:
        if isinstance(review, dict):
            url = cleaning.link(review.get("url"))
            publisher = review.get("publisher")
            site = publisher.get("site") if isinstance(publisher, dict) else None
            yield Draft(
                wording=cleaning.text(node.get("text")),
                rating=cleaning.text(review.get("textualRating"), 300),
                publisher=_publisher(publisher) or cleaning.text(site, 200) or cleaning.host(url),
                url=url,
                reviewed_on=cleaning.day(review.get("reviewDate")) or cleaning.day(node.get("claimDate")),
                lang=cleaning.language(review.get("languageCode")),
                title=cleaning.text(review.get("title")),
            )
