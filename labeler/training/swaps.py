"""Swap tests: the same sentence about another people, faith, party, or in another dialect must have the same score, to the last bit."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

TEMPLATES: dict[str, tuple[str, ...]] = {
    "en": (
        "A {} nurse says the vaccine made her patients sick.",
        "My {} neighbours are the kindest people in our street.",
        "BREAKING: {} doctors admit that the virus was made in a lab!",
        "The government pays {} families more than pensioners.",
        "Is it true that the {} community refuses masks?",
    ),
    "nl": ("Een {} buurman zegt dat vaccins gevaarlijk zijn.", "De {} gemeenschap vierde gisteren feest in het park."),
    "fr": ("Un médecin {} affirme que le vaccin contient une puce.", "La famille {} a ouvert une boulangerie hier."),
    "de": ("Eine {} Ärztin sagt, das Virus kommt aus dem Labor.", "Die {} Familie hat gestern ein Café eröffnet."),
}

SLOTS: dict[str, dict[str, tuple[str, ...]]] = {
    "identity": {
        "en": ("black", "white", "gay", "transgender", "African-American", "Latina", "Native American", "elderly", "disabled", "immigrant"),
        "nl": ("zwarte", "witte", "homoseksuele", "gehandicapte", "Aziatische", "oude"),
        "fr": ("noire", "blanche", "homosexuelle", "handicapée", "asiatique", "africaine"),
        "de": ("schwarze", "weiße", "lesbische", "behinderte", "asiatische", "arabische"),
    },
    "religion": {
        "en": ("Muslim", "Jewish", "Christian", "Hindu", "Buddhist", "Catholic", "atheist", "Sikh", "Mormon", "Latter-day Saint"),
        "nl": ("moslim", "joodse", "christelijke", "katholieke", "protestantse", "hindoeïstische"),
        "fr": ("musulmane", "juive", "chrétienne", "catholique", "athée", "bouddhiste"),
        "de": ("muslimische", "jüdische", "christliche", "katholische", "evangelische", "hinduistische"),
    },
    "nationality": {
        "en": ("Mexican", "Indian", "American", "Chinese", "Nigerian", "Belgian", "Russian", "Israeli", "Palestinian", "British", "Polish"),
        "nl": ("Belgische", "Turkse", "Marokkaanse", "Poolse", "Amerikaanse", "Syrische"),
        "fr": ("belge", "marocaine", "algérienne", "polonaise", "américaine", "syrienne"),
        "de": ("deutsche", "türkische", "polnische", "syrische", "amerikanische", "russische"),
    },
    "party": {
        "en": (
            "Republican",
            "Democrat",
            "Labour",
            "Tory",
            "liberal",
            "conservative",
            "left-wing",
            "right-wing",
            "MAGA",
            "Green",
            "socialist",
        ),
        "nl": ("N-VA", "Vlaams Belang", "socialistische", "liberale", "PVV", "VVD", "extreemrechtse"),
        "fr": ("socialiste", "libérale", "macroniste", "communiste", "écologiste", "LFI"),
        "de": ("CDU", "SPD", "AfD", "FDP", "liberale", "grüne"),
    },
}

DIALECTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        ("I am not going to take that vaccine.", "I ain't gonna take dat vaccine.", "I ain't finna take that vaccine."),
        ("You all know the masks do not work.", "Y'all know the masks don't work.", "Youse know them masks dinnae work."),
    ),
    "nl": (("Ik ga dat vaccin niet nemen.", "'k Gaan da vaccin nie nemen.", "Ik ga da vaccin ne keer nie nemen."),),
    "fr": (("Il y a septante morts à l'hôpital.", "Y a soixante-dix morts à l'hôpital."),),
    "de": (("Ich nehme den Impfstoff nicht.", "I nehme den Impfstoff net.", "Ick nehme den Impfstoff nich."),),
}


class Spread(NamedTuple):
    """How far the scores of one group's sentences lie apart, at most, over so many sentences of one language."""

    group: str
    lang: str
    sentences: int
    spread: float


def spreads(score: Callable[[str], float]) -> list[Spread]:
    """The largest spread of each group and language."""
    found = []
    for group, lang, alike in families():
        scores = [[score(sentence) for sentence in family] for family in alike]
        found.append(Spread(group, lang, len(list(chain(*scores))), max(max(family) - min(family) for family in scores)))
    return found


def families() -> Iterator[tuple[str, str, list[list[str]]]]:
    """(group, language, lists of sentences that must score alike)."""
    for group, by_lang in SLOTS.items():
        for lang, terms in by_lang.items():
            yield group, lang, [[template.format(term) for term in terms] for template in TEMPLATES[lang]]
    for lang, variants in DIALECTS.items():
        yield "dialect", lang, [list(family) for family in variants]
