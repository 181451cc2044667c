"""What a published rating means: false, mixed, true or unknown. `[claims.ratings]` in the config adds to the table and overrides it.

Promise: a rating is false only when all of it, or its first sentence, stands in the table under false. "Mostly false", "Misleading" and
"Missing context" are mixed: something of such a claim is true, and a label would say more than the fact-checker did.
"""

import re
from typing import Any, Literal, TypeAlias
from unicodedata import normalize

from attrs import field, frozen

Verdict: TypeAlias = Literal["false", "mixed", "true", "unknown"]
VERDICTS: tuple[Verdict, ...] = ("false", "mixed", "true", "unknown")

# As fact-checkers write them in English, Dutch, French and German.
FALSE = """
false; totally false; completely false; entirely false; factually false; demonstrably false; patently false; absolutely false
pants on fire; pants on fire!; four pinocchios; incorrect; inaccurate; wrong; untrue; not true; this is false; this is not true; it's false
fake; fake news; hoax; fabricated; fabrication; made up; debunked; baseless; unfounded; no truth; scam; bogus; this is fake; false claim
fake quote; altered; doctored; manipulated; digitally altered; altered photo; altered video; false connection; imposter content
onwaar; niet waar; vals; fout; foutief; volledig onwaar; helemaal onwaar; feitelijk onjuist; onjuist; klopt niet; dit klopt niet; nep
nepnieuws; verzonnen; broodje aap; gefabriceerd; gemanipuleerd; ongegrond; pertinent onwaar
faux; c'est faux; totalement faux; complètement faux; entièrement faux; fausse; infox; intox; fake; inventé; inexact; infondé; canular
faux !; non, c'est faux; c'est une intox; montage; citation inventée; photomontage; aucune preuve, c'est faux
falsch; völlig falsch; frei erfunden; erfunden; unwahr; stimmt nicht; das stimmt nicht; das ist falsch; fälschung; gefälscht; manipuliert
größtenteils erfunden; falschmeldung; unbegründet; komplett falsch; unzutreffend
"""
MIXED = """
mostly false; mixture; mixed; half true; half-true; partly false; partially false; partly true; partially true; misleading
missing context; lacks context; needs context; out of context; miscaptioned; misattributed
mostly true; outdated; exaggerated; cherry-picked
two pinocchios; three pinocchios; one pinocchio; barely true; distorts the facts; half truth; false context; no evidence; unsupported
unsubstantiated; spins the facts; disputed; imprecise; flawed reasoning
grotendeels onwaar; deels onwaar; gedeeltelijk onwaar; deels waar; half waar; misleidend; grotendeels waar; context ontbreekt
uit de context; onbewezen; overdreven; gedeeltelijk waar; ongenuanceerd; verouderd
plutôt faux; partiellement faux; en partie faux; trompeur; trompeuse; à moitié vrai; plutôt vrai; partiellement vrai; exagéré
hors contexte; manque de contexte; contexte manquant; c'est plus compliqué; presque vrai; à nuancer; détourné; sans preuve; non prouvé
größtenteils falsch; teilweise falsch; irreführend; halb wahr; teilweise richtig; teils falsch; fehlender kontext; größtenteils richtig
unbelegt; falscher kontext; aus dem kontext gerissen; übertrieben; teilweise wahr; halbwahr; weitgehend falsch; überwiegend falsch
"""
TRUE = """
true; correct; accurate; correct attribution; geppetto checkmark; real; this is true; authentic; genuine
waar; klopt; juist; correct; volledig waar; dit klopt
vrai; c'est vrai; exact; correct; véridique; totalement vrai
wahr; richtig; stimmt; korrekt; das stimmt; das ist richtig
"""


def _listed(text: str) -> list[str]:
    return [word for line in text.split("\n") for word in line.split("; ") if word]


def plain(rating: str) -> str:
    """The form in which ratings are compared: case, width, quotation marks, emoji and punctuation around it do not count."""
    folded = normalize("NFKC", rating).casefold().replace("’", "'")
    return " ".join(re.sub(r"[^\w\s'/+-]|_", " ", folded).split()).strip("-'/+ ")


_MEANING: dict[str, Verdict] = {
    **{plain(word): "true" for word in _listed(TRUE)},
    **{plain(word): "mixed" for word in _listed(MIXED)},
    **{plain(word): "false" for word in _listed(FALSE)},
}


def _check(_ratings: object, _attribute: Any, words: tuple[str, ...]) -> None:
    if empty := [word for word in words if not plain(word)]:
        raise ValueError(f"{empty[0]!r}: expected a rating in words, as a fact-checker writes it")


@frozen
class Ratings:
    """`[claims.ratings]`: what ratings mean, beside the built-in table; what stands here counts. Nothing is said twice."""

    false: tuple[str, ...] = field(default=(), validator=_check)
    """The only ones that may support a label."""
    mixed: tuple[str, ...] = field(default=(), validator=_check)
    true: tuple[str, ...] = field(default=(), validator=_check)
    unknown: tuple[str, ...] = field(default=(), validator=_check)

    def __attrs_post_init__(self) -> None:
        words = [plain(word) for verdict in VERDICTS for word in getattr(self, verdict)]
        if twice := sorted({word for word in words if words.count(word) > 1}):
            raise ValueError(f'"{twice[0]}" stands there twice: a rating has one meaning')

    def meaning(self, rating: str) -> Verdict:
        """What a rating means: all of it, or else its first sentence ("False. There is no such law."), is looked up."""
        first, *rest = re.split(r"[.!:;–—\n]|\s-\s", rating, maxsplit=1)
        for text in (rating, first) if rest else (rating,):
            if verdict := self._own().get(plain(text)) or _MEANING.get(plain(text)):
                return verdict
        return "unknown"

    def _own(self) -> dict[str, Verdict]:
        return {plain(word): verdict for verdict in VERDICTS for word in getattr(self, verdict)}
