"""What readers are told of a label whose operator wrote nothing herself, in English, Dutch and French.

Promises: each text says what the label measures, that it is about the post and not about its author, and that a post without it has not
been checked. (A warning on some posts makes people believe the rest: Pennycook et al. 2020, the implied truth effect.)
"""

from typing import NamedTuple, TypeAlias

LONGEST_NAME = 64


class Text(NamedTuple):
    """In one language; `description` may hold {value}."""

    lang: str
    name: str
    description: str


Texts: TypeAlias = tuple[Text, ...]

_DISINFORMATION: Texts = (
    Text(
        "en",
        "Likely disinformation",
        "This post repeats a claim that fact-checkers have rated false. The label is about what the post says, not about its author, and it"
        " can be wrong: the author can appeal. A post without this label has not been checked; that does not make it true.",
    ),
    Text(
        "nl",
        "Waarschijnlijk desinformatie",
        "Dit bericht herhaalt een bewering die factcheckers onjuist hebben bevonden. Het label gaat over wat er in het bericht staat,"
        " niet over wie het schreef, en het kan fout zijn: de auteur kan bezwaar maken. Een bericht zonder dit label is niet nagekeken; dat"
        " maakt het nog niet waar.",
    ),
    Text(
        "fr",
        "Désinformation probable",
        "Cette publication répète une affirmation que des vérificateurs ont jugée fausse. L’étiquette porte sur ce que dit la publication,"
        " non sur son auteur, et elle peut être erronée : l’auteur peut faire appel. Une publication sans cette étiquette n’a pas été"
        " vérifiée ; cela ne la rend pas vraie.",
    ),
)

_TEST: Texts = (
    Text(
        "en",
        "Test of the labeler",
        "The operator of this labeler tests with this label whether labels arrive. It says nothing about the post. A post without it has"
        " not been checked.",
    ),
    Text(
        "nl",
        "Test van de labeler",
        "Met dit label test de beheerder van deze labeler of labels aankomen. Het zegt niets over het bericht. Een bericht zonder dit label"
        " is niet nagekeken.",
    ),
    Text(
        "fr",
        "Test du service d’étiquetage",
        "Cette étiquette sert à vérifier que les étiquettes arrivent. Elle ne dit rien de la publication. Une publication sans cette"
        " étiquette n’a pas été vérifiée.",
    ),
)

_ANY: Texts = (
    Text(
        "en",
        "",
        "This post meets the rules that this labeler has made public for “{value}”. They look at what the post says, not at who wrote it,"
        " and they can be wrong: the author can appeal. A post without this label has not been checked; that says nothing about it.",
    ),
    Text(
        "nl",
        "",
        "Dit bericht voldoet aan de regels die deze labeler voor “{value}” openbaar heeft gemaakt. Die kijken naar wat er in het bericht"
        " staat, niet naar wie het schreef, en ze kunnen fout zijn: de auteur kan bezwaar maken. Een bericht zonder dit label is niet"
        " nagekeken; dat zegt er niets over.",
    ),
    Text(
        "fr",
        "",
        "Cette publication répond aux règles que ce service a rendues publiques pour « {value} ». Elles portent sur ce que dit la"
        " publication, non sur son auteur, et elles peuvent se tromper : l’auteur peut faire appel. Une publication sans cette étiquette"
        " n’a pas été vérifiée ; cela n’en dit rien.",
    ),
)

_KNOWN = {"likely-disinformation": _DISINFORMATION, "plainsky-test": _TEST}


def texts(value: str) -> Texts:
    """For a label of this value, the first for readers of any other language. Where it is unknown, its name is the value in words."""
    words = value.strip("-").replace("-", " ").capitalize()[:LONGEST_NAME].strip() or value[:LONGEST_NAME]
    return tuple(Text(lang, name or words, told.format(value=value)) for lang, name, told in _KNOWN.get(value, _ANY))
