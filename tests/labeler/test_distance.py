"""What becomes of a post that keeps a distance from a claim that ships with the project, in sentences of our own (tests/data/distance.txt).

Most of "-" were candidates once: they tell of a claim, deny, ask or mock it, or say something that is true. "+" asserts it. "=" is
true, and no wording of a claim may be so wide that it covers it.
"""

from functools import cache
from pathlib import Path

import pytest

from labeler.claims import seed
from labeler.claims.bank import Bank, in_force
from labeler.signals import Given, Signal, load
from models.post import Post

SENTENCES = Path(__file__).parents[1] / "data" / "distance.txt"
REASON = 0.7
"""The threshold of docs/labels.md."""


@cache
def signal() -> Signal:
    return load("claim_match", Given(Bank(in_force(seed.claims(0)))))


def sentences(kind: str) -> list[tuple[str, str]]:
    lines = [line.split("\t") for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    return [(lang, text.replace("\\n", "\n")) for sign, lang, text in lines if sign == kind]


@pytest.mark.parametrize(("lang", "text"), sentences("-"))
def test_a_post_that_keeps_a_distance_from_a_claim_is_no_candidate(lang: str, text: str) -> None:
    post = Post(text, langs=(lang,))

    assert signal().look(post) is None
    assert signal().why_not(post).reason == "abstains"


@pytest.mark.parametrize(("lang", "text"), sentences("+"))
def test_a_post_that_asserts_a_claim_is_a_candidate(lang: str, text: str) -> None:
    found = signal().look(Post(text, langs=(lang,)))

    assert found
    assert found.weight >= REASON


@pytest.mark.parametrize(("lang", "text"), sentences("="))
def test_no_claim_is_worded_so_that_it_covers_what_is_true(lang: str, text: str) -> None:
    assert signal().look(Post(text, langs=(lang,))) is None


PEOPLES = """South African;North Korean;Frisian;Ivorian;Angolan;Cape Verdean;Costa Rican;Northern Irish;Malagasy;Breton;Cambodian;Mexican
Seventh-day Adventist;Jesuit;Calvinist;Alevi;Copt;Mennonite;born-again;Jewish;Muslim;Quaker;humanist
Vlaams Belang;Die Linke;Forum voor Democratie;Tea Party;far-left;PVV;Republican;Green;Rassemblement National
foreign-born;unemployed;dyslexic;Black;trans;elderly;wheelchair-using;Native American""".replace("\n", ";").split(";")


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", "Chemtrails from planes poison the population, and my {} aunt lives here"),
        ("en", "A {} doctor. Wind turbines cause cancer"),
        ("nl", "In de coronavaccins zit een microchip die je volgt, weet een {} dokter"),
        ("en", "{0} people: the idea that {0} people have is that 5G masts spread the coronavirus. {0}?"),
    ],
)
def test_the_same_sentence_about_others_gets_the_same_to_the_last_bit(lang: str, sentence: str) -> None:
    found = [signal().look(Post(sentence.format(people), langs=(lang,))) for people in PEOPLES]

    assert len({one and one.weight for one in found}) == 1
