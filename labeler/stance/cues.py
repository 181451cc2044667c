"""Words by which people deny, attribute, mock and correct, in English, Dutch, French and German. As `said.tokens` spells words.

A word with a space is a phrase; "stem*" is every word that begins so. English cues count in every language: people mix them in.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Cues(NamedTuple):
    """Cues of one kind in one language."""

    words: frozenset[str]
    stems: tuple[str, ...]
    phrases: tuple[str, ...]


NEGATION = {
    "en": """not no never none nothing nobody neither nor without cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt
        couldnt shouldnt hasnt havent hadnt aint dinnae cannae isnae wasnae couldnae nae zero""",
    "nl": "niet nie geen gin nooit niemand niets niks zonder noch nergens nee neen geenszins allerminst nimmer",
    "fr": "pas ni jamais aucun aucune rien personne sans non nul nulle nullement",
    "de": """nicht net ned nich nit kein keine keinen keinem keiner nie niemals nichts nix niemand ohne weder koa koane
        keinerlei nirgends nirgendwo keineswegs""",
}
ATTRIBUTION = {
    "en": """claim claims claimed claiming alleg* purport*
        reportedly supposedly apparently believes believe believed believing insist* argue*
        suggest* according-to thought-that people-who they-say
        thinks think says said saying tells told so-called accuse* sued suing critics asked-about ask-about interview someone-says""",
    "nl": """beweert beweren beweerde beweerden bewering* volgens zogenaamd* zegt zei zeggen-dat denkt denken-dat gelooft geloven
        vermeend* zou-zijn mensen-die suggere* stelt volhoud* houdt-vol het-verhaal-dat insinu*""",
    "fr": """prétend prétendent prétendu* affirme affirment affirmation* selon d-après soi-disant croit croient dit-que
        disent a-dit ont-dit pense-que
        pensent soutient soutiennent assure assurent raconte racontent raconter allégation* suppos* ceux-qui les-gens-qui""",
    "de": """behauptet behaupten behauptete behauptung* laut angeblich* sogenannt* glaubt glauben sagt sagte sagen-dass meint
        denkt vermeintlich* soll sollen leute-die""",
}
CORRECTION = {
    "en": """false falsely fake fakes hoax hoaxes myth myths debunk* misinform* disinform* lie lies lied lying liar liars untrue
        fact-check fact-checked fact-checkers fact-checking factcheck* conspirac* conspiring bullshit bs nonsense
        baseless unfounded rumor rumors rumour*
        scam scams fraudulent denier* denial deny denying denied wrong incorrect* mislead* reminder propaganda antivax* anti-vax*
        anti-vaxx* anti-science ridiculous crazy insane stupid idiot* moron* ignoran* imbecile* dumb delusional lunatic* unhinged
        no-evidence no-proof not-true not-real t-true know-the-facts science-denial trope tropes grifter* nutjob* nutter* quack*
        tinfoil magat magats idiocy loon loons dolt disprov* discredit* refut* reject* contrary stop-spreading stop-saying""",
    "nl": """vals nep nepnieuws onzin leugen* liegt liegen gelogen onwaar fabel* complot* desinformatie misinformatie
        factcheck* feitencheck
        weerleg* ontkracht* broodjeaap niet-waar klopt-niet geen-bewijs fout foute belachelijk* idio* zever wappie* kul larie flauwekul
        antivax* mythe mythes gerucht geruchten kletskoek lariekoek stop-met""",
    "fr": """faux fausse fausses mensonge* menteur* menteuse* ment mentent infox intox désinformation désinformer
        complot* conspiration* démenti* dément canular*
        pas-vrai n-est-pas-vrai aucune-preuve rumeur* mythe mythes fact-checking factcheck* débunk* absurde ridicule
        connerie* n-importe-quoi
        idiot* délire* délirant* réfut* antivax* arrêtez-de arrête-de arrêtons-de""",
    "de": """falsch falsche falschen lüge* lügt lügen gelogen falschmeldung* desinformation fehlinformation* verschwörung* unsinn quatsch
        blödsinn widerleg* märchen faktencheck* schwurbel* schwurbler* nicht-wahr stimmt-nicht kein-beweis keine-beweise mythos mythen
        gerücht* keine-belege kein-beleg hört-auf hör-auf idiot* lächerlich* querdenk* impfgegner*""",
}
IRONY = {
    "en": """lol lmao lmfao rofl haha hahaha hahahaha yeah-right yeah-sure oh-sure sure-jan as-if i-swear literally shocking-i-know who-knew
        good-thing clearly obviously wake-up-sheeple but-but but-muh muh bingo space-lasers""",
    "nl": "haha hahaha ja-hoor ja-vast vast-wel tuurlijk ja-ja jaja alsof kuch goed-bezig natuurlijk",
    "fr": "mdr ptdr haha hahaha bien-sûr mais-oui ben-oui c-est-ça ben-voyons genre évidemment comme-si",
    "de": "haha hahaha ja-klar na-klar na-sicher schon-klar ist-klar klar-doch aber-sicher als-ob natürlich ironie",
}
IRONIC_SIGNS = ("🙄", "🤣", "😂", "🤡", "😹", "🤦", "😆", "🥴", "😅", "/s", "🙃", "🤪", "🧙")
ASKING = {
    "en": """is-it-true is-this-true is-that-true anyone-know does-anyone have-you-heard honest-question not-sure i-wonder wondering
        can-anyone is-there-any is-it-really any-truth""",
    "nl": "is-het-waar klopt-het klopt-dit klopt-dat weet-iemand ik-vraag-me-af vraag-me-af eerlijke-vraag iemand-die-weet",
    "fr": "est-ce-vrai c-est-vrai est-ce-que quelqu-un-sait je-me-demande vraie-question sait-on",
    "de": "stimmt-es stimmt-das ist-es-wahr weiß-jemand weiss-jemand ich-frage-mich frage-mich ernste-frage ernsthafte-frage",
}


def _cues(text: str) -> Cues:
    written = text.split()
    return Cues(
        frozenset(word for word in written if "-" not in word and "*" not in word),
        tuple(word[:-1] for word in written if word.endswith("*")),
        tuple(f" {word.replace('-', ' ')} " for word in written if "-" in word and "*" not in word),
    )


def _by_lang(table: Mapping[str, str]) -> dict[str, Cues]:
    return {lang: _cues(table["en"] if lang == "en" else f"{table['en']} {text}") for lang, text in table.items()}


NEGATIONS, ATTRIBUTIONS, CORRECTIONS, IRONIES, QUESTIONS = map(_by_lang, (NEGATION, ATTRIBUTION, CORRECTION, IRONY, ASKING))
_FACT_CHECKERS = """
    snopes.com politifact.com factcheck.org fullfact.org factcheck.vlaanderen factcheck.afp.com factuel.afp.com faktencheck.afp.com
    leadstories.com africacheck.org correctiv.org mimikama.org mimikama.at nieuwscheckers.nl knack.be pointer.kro-ncrv.nl dubawa.org
    healthfeedback.org climatefeedback.org science.feedback.org boomlive.in altnews.in thequint.com checkyourfact.com maldita.es
    newtral.es pagellapolitica.it euvsdisinfo.eu bufale.net
"""
FACT_CHECKERS = frozenset(_FACT_CHECKERS.split())
"""Hosts that publish fact-checks. Who links there, as a rule does not assert what they refute."""
