"""Lengths are measured in what a person sees as one character."""

import pytest

from models.graphemes import graphemes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("Gent", 4, id="letters"),
        pytest.param("e\u0301é", 2, id="an accent belongs to its letter, composed or not"),
        pytest.param("Z\u0335\u0301\u0317", 1, id="several accents"),
        pytest.param("हिन्दी", 3, id="Hindi vowel signs"),
        pytest.param("한국", 2, id="Hangul syllables"),
        pytest.param("\u1112\u1161\u11ab", 1, id="a Hangul syllable in parts"),
        pytest.param("👩‍👩‍👧‍👦", 1, id="a family"),
        pytest.param("👍🏽👍", 2, id="skin tones"),
        pytest.param("🇧🇪🇳🇱", 2, id="flags"),
        pytest.param("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1, id="flags of regions"),
        pytest.param("❤️", 1, id="variation selector"),
        pytest.param("a\r\nb", 3, id="a line break"),
        pytest.param("気候", 2, id="Han"),
    ],
)
def test_a_text_has_as_many_graphemes_as_a_person_sees(text: str, count: int) -> None:
    assert graphemes(text) == count
