"""Links, mentions and hashtags of a description, marked by bytes (plainsky/publishing/facets.py)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainsky.publishing.facets import facets, handles
from tests.support.lexicons import assert_valid_record

DID = "did:plc:alice2222222222222222222"
DIDS = {"alice.example.org": DID, "alice.bsky.social": DID}


def marked(text: str) -> list[tuple[str, str]]:
    """(the text that is marked, what it means), cut out by bytes as clients do."""
    said = text.encode()
    return [(said[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode(), _meaning(f["features"])) for f in facets(text, DIDS)]


def _meaning(features: list[dict[str, Any]]) -> str:
    (feature,) = features
    return str(feature.get("uri") or feature.get("did") or "#" + feature["tag"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("see https://edri.org/our-work/.", [("https://edri.org/our-work/", "https://edri.org/our-work/")], id="sentence"),
        pytest.param("(https://a.example/b_(c))", [("https://a.example/b_(c)",) * 2], id="brackets"),
        pytest.param("https://a.example:8080?q=1&b=2#part!", [("https://a.example:8080?q=1&b=2#part",) * 2], id="query"),
        pytest.param("🧑‍🤝‍🧑 naïef: https://a.example x", [("https://a.example",) * 2], id="emoji before"),
        pytest.param("「https://a.example/ね」", [("https://a.example/ね",) * 2], id="Japanese quotes"),
        pytest.param("https://a.exampleを見て", [("https://a.example",) * 2], id="Japanese without a space"),
        pytest.param("https://nl.wikipedia.org/wiki/België", [("https://nl.wikipedia.org/wiki/België",) * 2], id="accent in the path"),
        pytest.param("https://böcher.example https://www.öko.example", [], id="no half of a name"),
        pytest.param("http://localhost ftp://a.example edri.org", [], id="no link"),
        pytest.param("by @Alice.Example.org, and", [("@Alice.Example.org", DID)], id="mention"),
        pytest.param("(@alice.example.org)", [("@alice.example.org", DID)], id="mention in brackets"),
        pytest.param("@alice.bsky.socialさん", [("@alice.bsky.social", DID)], id="mention in Japanese"),
        pytest.param("@nobody.example.org mail@alice.example.org @alice", [], id="no mention"),
        pytest.param("https://a.example/@alice.example.org", [("https://a.example/@alice.example.org",) * 2], id="mention in a link"),
        pytest.param(
            "#Solidarité, #ソリダリティ！ ＃連帯", [("#Solidarité", "#Solidarité"), ("#ソリダリティ",) * 2, ("＃連帯", "#連帯")], id="tags"
        ),
        pytest.param("Straße #überall العربية #تضامن שלום", [("#überall",) * 2, ("#تضامن",) * 2], id="right to left"),
        pytest.param("#हिन्दी", [("#हिन्दी",) * 2], id="marks at the end"),
        pytest.param("#🌷 #🌷tulp, #50plus #C++", [(tag, tag) for tag in ("#🌷", "#🌷tulp", "#50plus", "#C++")], id="emoji and digits"),
        pytest.param("#1 #2024 a#b # #️⃣ #!", [], id="no tag"),
        pytest.param("#" + "a" * 65, [], id="too long"),
        pytest.param("#https://a.example", [("#https://a.example",) * 2], id="one thing only"),
        pytest.param("", [], id="empty"),
    ],
)
def test_what_can_be_marked_is_marked_at_its_bytes(text: str, expected: list[tuple[str, str]]) -> None:
    assert marked(text) == expected


PIECES = st.sampled_from(
    ["https://", "a.example", "@", "alice.example.org", "#", "＃", "tag", " ", "é", "を", "👩‍🚀", "(", ")", "\n", "، ", "\u200d", "/"]
)


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=60))
def test_whatever_the_text_facets_follow_each_other_and_the_lexicon(text: str) -> None:
    found = facets(text, DIDS)

    edges = [edge for facet in found for edge in (facet["index"]["byteStart"], facet["index"]["byteEnd"])]
    assert edges == sorted(edges)
    assert all(cut[0] in "@#＃h" or cut.lower().startswith("http") for cut, _ in marked(text))
    record = {"$type": "app.bsky.feed.generator", "did": DID, "displayName": "x", "createdAt": "2026-01-01T00:00:00Z"}
    assert_valid_record({**record, "descriptionFacets": found})


def test_handles_are_told_so_that_they_can_be_resolved() -> None:
    assert handles("@Bob.example.org and @alice.example.org, not bob@mail.example") == {"bob.example.org", "alice.example.org"}
