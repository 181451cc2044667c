"""What enters a feed, in plain words of every language: true of each kind's matches, and made from the config alone."""

from typing import Any

import pytest
from hypothesis import given

from feedgen.feed import Feed
from feedgen.rules import Rule, kinds, load
from models.post import Post, label_of
from plainsky.pages.languages import languages
from plainsky.pages.sentences import Sentence, in_one_line, rule_at, rules_of, sentence
from tests.feedgen.test_rules_are_files import example, made
from tests.support.ruling import DID, FEEDS, OTHER, POSTS, SIMPLE, post_of

ALL = languages()
SELF = "did:plc:z72i7hdynmk6r22z27h6tvur"
LIST = f"at://{SELF}/app.bsky.graph.list/3l5gbwvbz2c2a"
PACK = f"at://{SELF}/app.bsky.graph.starterpack/3kvjzkjnwbc2b"
HANDLES = {"redactie.example.org": SELF, "labels.example.org": SELF}

# Of each kind, its example: what is said of it in English, Dutch and French, a post that it is true of, and one that it is not true of.
TRUE: dict[str, tuple[tuple[str, str, str], tuple[str, Post], tuple[str, Post]]] = {
    "all": (
        (
            "fits all of these: it (says the word “klimaat”, declares the language nl)",
            "aan al het volgende voldoet: het (zegt het woord “klimaat”, zegt in de taal “nl” te zijn)",
            "répond à tous ces points\u202f: il (dit le mot «\u202fklimaat\u202f», se dit dans la langue «\u202fnl\u202f»)",
        ),
        (DID, Post("het klimaat", langs=("nl",))),
        (DID, Post("het klimaat", langs=("fr",))),
    ),
    "any": (
        (
            "fits one of these: it (declares one of the languages nl, fr, is by redactie.example.org)",
            "aan één van de volgende voldoet: het (zegt in een van de talen “nl” of “fr” te zijn, is van redactie.example.org)",
            "répond à l’un de ces points\u202f: il"
            " (se dit dans une des langues «\u202fnl\u202f» ou «\u202ffr\u202f», est de redactie.example.org)",
        ),
        (SELF, Post(langs=("en",))),
        (DID, Post(langs=("en",))),
    ),
    "none": (
        (
            "fits all of these: it (has the hashtag #jaguar, fits none of these: it (says one of the words “car”, “voiture”))",
            "aan al het volgende voldoet: het (heeft de hashtag #jaguar, aan niets van het volgende voldoet: het "
            "(zegt een van de woorden “car” of “voiture”))",
            "répond à tous ces points\u202f: il (porte le hashtag #jaguar, ne répond à aucun de ces points\u202f: il "
            "(dit un des mots «\u202fcar\u202f» ou «\u202fvoiture\u202f»))",
        ),
        (DID, Post("a cat #jaguar")),
        (DID, Post("a car #jaguar")),
    ),
    "author": (
        (
            f"is by one of {SELF}, redactie.example.org",
            f"is van {SELF} of redactie.example.org",
            f"est de {SELF} ou redactie.example.org",
        ),
        (SELF, Post()),
        (DID, Post()),
    ),
    "embed": (
        (
            "embeds an image or a gallery or a video, with an alt text on every picture and video",
            "heeft een afbeelding, een reeks afbeeldingen of een video ingesloten, met een alt-tekst bij elke afbeelding en video",
            "a comme contenu incorporé une image, une série d’images ou une vidéo, avec un texte alternatif pour chaque image et vidéo",
        ),
        (DID, Post(embeds=("video",), alts=("a bird",))),
        (DID, Post(embeds=("video",), alts=("",))),
    ),
    "hashtag": (
        (
            "has one of the hashtags #solidariteit, #solidarité, #solidarity",
            "heeft een van de hashtags #solidariteit, #solidarité of #solidarity",
            "porte un des hashtags #solidariteit, #solidarité ou #solidarity",
        ),
        (DID, Post("ensemble #Solidarité")),
        (DID, Post("solidarité")),
    ),
    "keyword": (
        (
            "says one of the words “straße”, “general strike”, “solidar*”, “気候” in the text or an alt text",
            "zegt een van de woorden “straße”, “general strike”, “solidar*” of “気候” in de tekst of een alt-tekst",
            "dit un des mots «\u202fstraße\u202f», «\u202fgeneral strike\u202f», «\u202fsolidar*\u202f» ou «\u202f気候\u202f»"
            " dans le texte ou un texte alternatif",
        ),
        (DID, Post(alts=("a General  Strike",))),
        (DID, Post("a strike", card=("general strike",))),
    ),
    "label": (
        (
            "has the label “porn” or “sexual” or “nudity” or “graphic-media” from its author or this service's labeler",
            "heeft het label “porn”, “sexual”, “nudity” of “graphic-media” van de auteur zelf of de labeler van deze dienst",
            "porte l’étiquette «\u202fporn\u202f», «\u202fsexual\u202f», «\u202fnudity\u202f» ou «\u202fgraphic-media\u202f»"
            " donnée par son auteur ou le labeler de ce service",
        ),
        (DID, Post(self_labels=("nudity",))),
        (DID, Post(labels=(label_of("post", OTHER, "nudity"),))),
    ),
    "language": (
        (
            "declares one of the languages nl, fr",
            "zegt in een van de talen “nl” of “fr” te zijn",
            "se dit dans une des langues «\u202fnl\u202f» ou «\u202ffr\u202f»",
        ),
        (DID, Post(langs=("nl-BE",))),
        (DID, Post("een Nederlandse zin")),
    ),
    "link_domain": (
        (
            "links to one of the websites example.org, bücher.example, lemonde.fr/les-decodeurs",
            "linkt naar een van de websites example.org, bücher.example of lemonde.fr/les-decodeurs",
            "renvoie à un des sites example.org, bücher.example ou lemonde.fr/les-decodeurs",
        ),
        (DID, Post(links=("https://news.example.org/x",))),
        (DID, Post(links=("https://notexample.org/",))),
    ),
    "list": (
        (
            "is by somebody on the list https://bsky.app/profile/redactie.example.org/lists/3l5gbwvbz2c2a",
            "is van iemand op de lijst https://bsky.app/profile/redactie.example.org/lists/3l5gbwvbz2c2a",
            "est d’une personne de la liste https://bsky.app/profile/redactie.example.org/lists/3l5gbwvbz2c2a",
        ),
        (OTHER, Post()),
        (DID, Post()),
    ),
    "mention": (
        (
            f"mentions one of the accounts redactie.example.org, {SELF}",
            f"vermeldt een van de accounts redactie.example.org of {SELF}",
            f"mentionne un des comptes redactie.example.org ou {SELF}",
        ),
        (DID, Post(mentions=(SELF,))),
        (SELF, Post("by it")),
    ),
    "quote": (
        ("quotes a post of somebody else", "citeert een bericht van iemand anders", "cite un message de quelqu’un d’autre"),
        (DID, Post(quote=post_of(OTHER))),
        (DID, Post(quote=post_of(DID))),
    ),
    "regex": (
        (
            "fits the regular expression [0-9]+ ?(°C|degrees) in the text or an alt text",
            "past bij de reguliere expressie [0-9]+ ?(°C|degrees) in de tekst of een alt-tekst",
            "correspond à l’expression régulière [0-9]+ ?(°C|degrees) dans le texte ou un texte alternatif",
        ),
        (DID, Post("it is 30 °C")),
        (DID, Post("it is hot")),
    ),
    "reply": (
        ("is a reply", "is een antwoord", "est une réponse"),
        (DID, Post(reply_parent=post_of(OTHER), reply_root=post_of(OTHER))),
        (DID, Post()),
    ),
    "starter_pack": (
        (
            f"is by somebody in one of the starter packs https://bsky.app/starter-pack/redactie.example.org/3l5gbwvbz2c2a, {PACK}",
            f"is van iemand in een van de startpakketten https://bsky.app/starter-pack/redactie.example.org/3l5gbwvbz2c2a of {PACK}",
            f"est d’une personne d’un des kits de démarrage https://bsky.app/starter-pack/redactie.example.org/3l5gbwvbz2c2a ou {PACK}",
        ),
        (OTHER, Post()),
        (DID, Post()),
    ),
    "topic": (
        (
            "says words that add up to 2 or more of “climate” 2, “sea level” 3, “weather” 0.5, “climate of fear” -2",
            "zegt woorden die samen 2 of meer tellen: “climate” 2, “sea level” 3, “weather” 0.5, “climate of fear” -2",
            "dit des mots qui comptent ensemble 2 ou plus\u202f: «\u202fclimate\u202f» 2, «\u202fsea level\u202f» 3,"
            " «\u202fweather\u202f» 0.5, «\u202fclimate of fear\u202f» -2",
        ),
        (DID, Post("the climate")),
        (DID, Post("a climate of fear")),
    ),
}


def test_there_is_a_case_for_every_kind() -> None:
    assert set(TRUE) == set(kinds())


@pytest.mark.parametrize("kind", TRUE)
def test_a_sentence_is_true_of_what_the_rule_matches_and_of_nothing_else(kind: str) -> None:
    sentences, (did, match), (other_did, no_match) = TRUE[kind]
    rule = made(example(kind)[0][1])
    asked = rule.resolved(HANDLES.get).informed(lambda uri: {OTHER} if uri in (LIST, PACK) else ())

    assert tuple(in_one_line(sentence(rule, "include[0]", ALL[code])) for code in ("en", "nl", "fr")) == sentences
    assert asked.match(did, match) is not None
    assert asked.match(other_did, no_match) is None


@given(SIMPLE, POSTS)
def test_the_words_that_a_rule_found_stand_in_its_sentence_in_every_language(rule: Rule, post: Post) -> None:
    found = rule.match(DID, post)

    if found and rule.kind not in ("regex", "reply", "quote", "embed"):
        for language in ALL.values():
            said = in_one_line(sentence(rule, "include[0]", language))
            assert [word for word in found if word.lstrip("#") not in said] == [], language.code


@pytest.mark.parametrize("code", ALL)
@given(FEEDS)
def test_every_rule_of_any_config_has_a_sentence_at_its_path(code: str, feeds: list[Feed]) -> None:
    for feed in feeds:
        rules = rules_of(feed, ALL[code])
        for one in (*rules.include, *rules.require, *rules.exclude):
            assert_said(one, feed)


def assert_said(one: Sentence, feed: Feed) -> None:
    assert one.text
    assert rule_at(feed, one.path).kind == one.kind
    for part in one.rules:
        assert_said(part, feed)


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("hashtag", {"any": ("a",)}, "heeft de hashtag #a"),
        ("hashtag", {"any": ("a",), "where": ("facet", "text"), "accents": "fold"}, "heeft de hashtag #a als link of in de tekst, met of"),
        ("embed", {"any": ("video",), "alt": False}, "heeft een video ingesloten, terwijl er een alt-tekst ontbreekt"),
        ("language", {"any": ("nl",), "detect": True}, "of zegt niets over de taal en wordt als zodanig herkend"),
        ("quote", {"any": ("a.example.org",)}, "citeert de account a.example.org"),
        ("label", {"any": ("spam",), "on": ("account",)}, "op de account van de auteur"),
        ("reply", {"which": "self-threads"}, "gaat verder met een draad van de eigen auteur"),
    ],
)
def test_options_stand_in_the_sentences_of_other_languages(kind: str, fields: dict[str, Any], said: str) -> None:
    assert said in sentence(load(kind)(**fields), "include[0]", ALL["nl"]).text


def test_a_kind_that_a_language_does_not_know_is_said_in_english_by_the_kind_itself() -> None:
    class Novel(Rule):
        kind = "novel"

        def plain_words(self) -> str:
            return "is a novel"

    said = sentence(Novel(), "include[0]", ALL["nl"])

    assert (said.text, said.lang) == ("is a novel", "en")
