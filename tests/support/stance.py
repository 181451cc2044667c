"""A small bank of claims in four languages, and posts beside them."""

from functools import cache

from labeler.claims import seed
from labeler.claims.bank import Bank, in_force
from labeler.claims.matching import Matcher
from labeler.signals import Given
from labeler.stance.features import Beside, features
from labeler.stance.judging import beside
from models.claims import Claim, Wording
from models.post import Post
from tests.support.claims import claim

WIRES = claim(
    "Windmills poison drinking water with copper",
    id="wires",
    url="https://checks.example.org/windmills-copper",
    wordings=(
        Wording("Windmills poison drinking water with copper", "en"),
        Wording("Windmolens vergiftigen drinkwater met koper", "nl"),
        Wording("Les éoliennes empoisonnent l'eau potable avec du cuivre", "fr"),
        Wording("Windräder vergiften Trinkwasser mit Kupfer", "de"),
    ),
)
USELESS = claim("Umbrellas do not protect against hailstones", id="useless")
HOAX = claim("The moon landing of 1969 was a hoax filmed in Arizona", id="hoax")
TRUE = claim("Bicycles outnumber residents of Copenhagen", id="true", rating="True")
BANK = (WIRES, USELESS, HOAX, TRUE)


@cache
def all_given() -> Given:
    """What a signal is given: these claims, among those that ship with Plainsky, as how rare words are would else say nothing."""
    return Given(Bank(in_force([*BANK, *seed.claims(0)])))


def matcher() -> Matcher:
    """Finds these claims."""
    state = all_given().bank.state
    assert state
    return state.matcher


def seen(text: str, about: Claim = WIRES, **fields: object) -> Beside:
    """A post beside a claim."""
    found = beside(Post(text, **fields), about.id, matcher(), None)  # type: ignore[arg-type]
    assert found
    return found


def values(text: str, about: Claim = WIRES, **fields: object) -> dict[str, float]:
    """Its features."""
    return features(seen(text, about, **fields))
