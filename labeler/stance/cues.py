"""Words by which people deny, attribute, mock and correct, in English, Dutch, French and German. As `said.tokens` spells words.

A hyphen makes a phrase, "stem*" is every word that begins so, "^word" (or a phrase) counts only where the post begins with it.
English cues count in every language: people mix them in.
"""

from collections.abc import Mapping
from typing import NamedTuple

from models.text import fold


class Cues(NamedTuple):
    """Cues of one kind in one language."""

    words: frozenset[str]
    stems: tuple[str, ...]
    phrases: tuple[str, ...]
    starts: tuple[str, ...]


NEGATION = {
    "en": """not no never none nothing nobody neither nor without cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt
        couldnt shouldnt hasnt havent hadnt aint dinnae cannae isnae wasnae couldnae nae zero hardly barely scarcely unlikely
        impossible doubt doubts doubted less fewer excluded unlike 0 não inte ikke nie""",
    "nl": """niet nie geen gin nooit niemand niets niks zonder noch nergens nee neen geenszins allerminst nimmer nauwelijks amper nul
        minder onmogelijk onwaarschijnlijk betwijfel betwijfelt twijfel""",
    "fr": """pas ni jamais aucun aucune rien personne sans non nul nulle nullement guère aucunement moins impossible improbable doute
        doutes douter""",
    "de": """nicht net ned nich nit kein keine keinen keinem keiner nie niemals nichts nix niemand ohne weder koa koane
        keinerlei nirgends nirgendwo keineswegs mitnichten kaum weniger unmöglich unwahrscheinlich bezweifle bezweifelt zweifel null""",
}
ATTRIBUTION = {
    "en": """claim claims claimed claiming alleg* purport*
        reportedly supposedly apparently believes believe believed believing insist* argue*
        suggest* according-to thought-that people-who they-say
        thinks think says said saying tells told so-called accuse* sued suing critics asked-about ask-about interview someone-says
        belief beliefs theory theories notion convinced heard hearing keeps-repeating repeats repeated declares declared telling
        statements assert asserts asserted rants ranted shouting shouted yelling testified testifies sues supposed tweeted went-around
        for-posting for-sharing for-spreading still-shares still-share tale tales that-story story-that stories-that
        some-folks some-people going-around things-i-read would-have-you blames blamed called of-calling for-calling fear fears feared
        afraid worried overheard spray-painted""",
    "nl": """beweert beweren beweerde beweerden bewering* volgens zogenaamd* zegt zei zeggen-dat denkt denken-dat gelooft geloven
        vermeend* zou-zijn mensen-die suggere* stelt volhoud* houdt-vol hield-vol het-verhaal-dat insinu* aldus dixit naar-verluidt
        hoorde gehoord herhaalt herhaalde verklaart verklaarde theorie* overtuigd las-ik vertelt vertelde verhaaltje* roept riep vreest
        vrezen bang bezorgd circuleert dat-idee dat-verhaal""",
    "fr": """prétend prétendent prétendu* affirme affirment affirmation* selon d-après soi-disant croit croient dit-que
        disent a-dit ont-dit pense-que
        pensent soutient soutiennent assure assurent raconte racontent raconter allégation* suppos* ceux-qui les-gens-qui
        dixit convaincu* entendu répète répètent déclare déclaré théorie* d-après-lui va-me-dire encore-me-dire a-lancé a-déclaré
        a-affirmé paraît-que paraît-il il-paraît annonce-que à-en-croire craint craignent peur circule""",
    "de": """behauptet behaupten behauptete behauptung* laut angeblich* sogenannt* glaubt glauben glaubte sagt sagte sagen-dass meint
        denkt vermeintlich* soll sollen leute-die überzeugt gehört heißt-es es-heißt wiederholt wiederholte erklärt erklärte findet fand
        so-der so-die theorie* vorstellung meinte dachte erzählt erzählte kursiert fürchtet fürchten befürchtet* angst besorgt gerede
        sollte sollten obwohl steht-in""",
}
CORRECTION = {
    "en": """false falsely fake fakes hoax hoaxes myth myths debunk* misinform* disinform* lie lies lied lying liar liars untrue
        fact-check fact-checked fact-checkers fact-checking factcheck* conspirac* conspiring bullshit bs nonsense
        baseless unfounded rumor rumors rumour*
        scam scams fraudulent denier* denial deny denying denied wrong incorrect* mislead* reminder propaganda antivax* anti-vax*
        anti-vaxx* anti-science ridiculous crazy insane stupid idiot* moron* ignoran* imbecile* dumb delusional lunatic* unhinged
        no-evidence no-proof not-true not-real t-true know-the-facts science-denial trope tropes grifter* nutjob* nutter* quack*
        tinfoil magat magats idiocy loon loons dolt disprov* discredit* refut* reject* contrary stop-spreading stop-saying
        fakenews fakery nottrue fiction fictional fictitious rubbish hogwash bunk bunkum baloney malarkey poppycock claptrap drivel
        tosh bollocks twaddle gibberish preposterous absurd* ludicrous laughable outlandish far-fetched farfetched silly foolish a-fool
        gullible nonsensical pseudoscien* superstition* urban-legend* legend fable fables fairytale* fairy-tale such-garbage
        total-garbage utter-garbage what-garbage made-up fabricated fabrication fantasy paranoi* crackpot* cranks kook* batshit bonkers
        defam* libel* ruled-out threw-out thrown-out dismissed-in-court nope nah pants-on-fire citation-needed source-needed prove-it
        show-me-the scaremonger* fearmonger* fear-mongering moral-panic hysteria verdict-false tired-of sick-of fell-for bad-take""",
    "nl": """vals nep nepnieuws onzin leugen* liegt liegen gelogen onwaar fabel* complot* desinformatie misinformatie
        factcheck* feitencheck
        weerleg* ontkracht* broodjeaap niet-waar klopt-niet geen-bewijs fout foute belachelijk* idio* zever wappie* kul larie flauwekul
        antivax* mythe mythes gerucht geruchten kletskoek lariekoek stop-met
        onjuist* verzinsel* verzonnen sprookje* gelul geleuter gezever gezwam indianenverha* kwakverha* bakerpraat* bangmakerij absurd*
        misvatting* bijgeloof nonsens kolder dwaas dwaze aluhoed* gek gekken geschift achterlijk* ongegrond* kwakzalver*
        zeveraar* bullshit fictie moet-lachen""",
    "fr": """faux fausse fausses mensonge* menteur* menteuse* ment mentent infox intox désinformation désinformer
        complot* conspiration* démenti* dément canular*
        pas-vrai n-est-pas-vrai aucune-preuve rumeur* mythe mythes fact-checking factcheck* débunk* absurde ridicule
        connerie* n-importe-quoi
        idiot* délire* délirant* réfut* antivax* arrêtez-de arrête-de arrêtons-de
        foutaise* sornette* baliverne* bêtise* sottise* bobard* fadaise* légende* fable fables invention n-importe-nawak contrevérité*
        contre-vérité* erroné* trompeu* fantasme* élucubration* fantaisiste* fiction baratin idée-reçue idées-reçues contrairement
        grotesque* pseudoscien* obscurantis* débile* crédule* loin-des""",
    "de": """falsch falsche falschen lüge* lügt lügen log gelogen falschmeldung* desinformation fehlinformation* verschwörung* unsinn
        quatsch blödsinn widerleg* märchen faktencheck* schwurbel* schwurbler* nicht-wahr stimmt-nicht kein-beweis keine-beweise mythos
        mythen gerücht* keine-belege kein-beleg hört-auf hör-auf idiot* lächerlich* querdenk* impfgegner*
        humbug schwachsinn ammenmärchen unfug stuss mumpitz quark nö nee aluhut* aluhüte* erfunden* ausgedacht irrglaube* irrtum*
        hirngespinst* von-wegen mär aberglaube* absurd* spinner bescheuert* dummheit* bullshit blanker-unsinn faktenfuchs
        legende erstunken""",
}
IRONY = {
    "en": """lol lool* looo* lmao lmfao rofl haha hahaha hahahaha yeah-right yeah-sure oh-sure sure-jan as-if as-though i-swear literally
        shocking-i-know who-knew good-thing clearly obviously wake-up-sheeple but-but but-muh muh bingo space-lasers
        sarcas* satire satirical parody joke jokes joking imagine spongebob next-thing-you-know can-confirm band-name pitch
        in-my-novel novel thriller screenplay sitcom netflix i-am-the-pope i-m-the-pope i-am-the-queen i-m-the-queen
        my-ass my-arse psych ^sure ^right ^yep ^yeah ^ooh ^oh ^ah""",
    "nl": """haha hahaha ja-hoor ja-vast vast-wel tuurlijk ja-ja jaja alsof kuch goed-bezig natuurlijk satire parodie grap grapje ironie
        sarcasme 1-april een-april ^goh ^ach ^oh ^ah stel-je-voor
        de-kat-wijs mijn-voeten dikke-zeik""",
    "fr": """mdr ptdr haha hahaha bien-sûr mais-oui ben-oui c-est-ça ben-voyons genre évidemment comme-si ironie sarcasme satire parodie
        blague gorafi la-marmotte ^ah ^oh ^ouais ^tiens ^bah imaginons imaginez je-suis-le-pape
        mon-cul à-d-autres""",
    "de": """haha hahaha ja-klar na-klar na-sicher schon-klar ist-klar klar-doch aber-sicher als-ob natürlich ironie sarkasmus satire witz
        parodie postillon ja-genau schon-recht ach-so stell-dir-vor ^ach ^oh ^ah ^aha ich-bin-der-papst bin-ich-der-papst
        kaiser-von-china am-arsch so-ein-käse""",
}
IRONIC_SIGNS = (
    *(
        "🙄",
        "🤣",
        "😂",
        "🤡",
        "😹",
        "🤦",
        "😆",
        "🥴",
        "😅",
        "/s",
        "🙃",
        "🤪",
        "🧙",
        "💀",
        "🤷",
        "🤨",
        "🤔",
        "🧐",
        "🧢",
        "🐂",
        "💩",
        "🤭",
        "😜",
        "😏",
    ),
    *("❌", "🚫", "👎", "⛔", "🙅", "❎", "≠", "~~"),
)
"""Laughter, rolled eyes and the like, and what strikes out."""
ASKING = {
    "en": """is-it-true is-this-true is-that-true anyone-know does-anyone have-you-heard honest-question not-sure i-wonder wondering
        can-anyone is-there-any is-it-really any-truth suppose supposing assume assuming hypothetically do-they did-they
        what-we-know what-scientists what-experts what-researchers here-s-what""",
    "nl": """is-het-waar klopt-het klopt-dit klopt-dat weet-iemand ik-vraag-me-af vraag-me-af eerlijke-vraag iemand-die-weet
        stel-dat zou-het-kunnen lezersvraag""",
    "fr": """est-ce-vrai c-est-vrai est-ce-que quelqu-un-sait je-me-demande vraie-question sait-on se-demande vrai-ou-faux
        supposons""",
    "de": """stimmt-es stimmt-das ist-es-wahr weiß-jemand weiss-jemand ich-frage-mich frage-mich ernste-frage ernsthafte-frage
        angenommen""",
}
CAUSING = {"en": "caus*", "nl": "veroorza*", "fr": "provoq*", "de": "verursach*"}
COUNTERING = {
    "en": "prevent* lower* reduc* protect* replac* fail fails failed failing stop stops stopped avoid* complement*",
    "nl": "voorkom* verlaag* vermind* bescherm* vervang* faalt stopt",
    "fr": "empêche* prévien* prévenir réduit réduire réduisent protège* remplace* évite*",
    "de": "verhinder* verhüte* senk* schütz* ersetz* vermeide* verringer*",
}
"""What stands for the opposite of causing: sunscreen prevents, and does not cause."""
THAN = {"en": "than", "nl": "dan", "fr": "que qu", "de": "als"}
COMPARING = {"en": "more worse", "nl": "meer", "fr": "plus pire pires mieux meilleur meilleure", "de": "mehr"}
"""Words of comparison beside those in "er"."""
SAYING = {"en": "that dat", "nl": "dat da", "fr": "que qu", "de": "dass daß"}
"""What opens a clause that somebody says, thinks or hears."""
SUPPOSING = {"en": "if whether", "nl": "als of indien mocht", "fr": "si", "de": "wenn falls ob"}
"""What opens a clause that is only supposed, or asked."""
WONDERING = {
    "en": "where what how why who when here true fact",
    "nl": "waar waarom wat hoe wie wanneer",
    "fr": "où d ce que comment pourquoi qui quand vrai",
    "de": "woher wo was wie warum wer wann wahr",
}
"""Behind a claim and a colon, what begins to tell about it."""
CERTAIN = {
    "en": """know ken knows known knew fact truth proof proves proven proved shows shown confirms confirmed admits admitted reveals revealed
        discovered found now so""",
    "nl": "weet weten wist feit waarheid bewijst bewezen bewijs aangetoond bevestigt bevestigd onthult toegegeven blijkt zo",
    "fr": """sait savez savons savoir fait vérité preuve prouve prouvé prouvent confirme confirmé avoue avoué admet admis révèle révélé
        montre montrent démontré parce alors depuis pendant tandis ainsi puisque""",
    "de": "weiß weiss wissen wisst tatsache fakt wahrheit beweist bewiesen beweis bestätigt zugegeben enthüllt zeigt so",
}
"""Who says "it is proven that" says it himself."""
ANNOUNCING = {
    "en": """breaking fact facts truth proof psa warning alert news update study video watch look exclusive confirmed exposed listen note
        bombshell shocking wow share urgent attention important leaked finally""",
    "nl": "nieuws feit feiten waarheid bewijs waarschuwing opgelet kijk let onthuld studie belangrijk delen dringend eindelijk",
    "fr": "info infos fait faits vérité preuve alerte attention regardez urgent scandale étude important partagez enfin exclusif exclu",
    "de": "eilmeldung fakt fakten tatsache wahrheit beweis warnung achtung eil skandal studie wichtig teilen endlich enthüllt",
}
"""Before a colon, words by which somebody announces what he himself says; before any other it is someone's, or some place's."""


def _cues(text: str) -> Cues:
    anywhere, starts = ([word.lstrip("^") for word in fold(text).split() if word.startswith("^") is at_start] for at_start in (False, True))
    return Cues(
        frozenset(word for word in anywhere if "-" not in word and "*" not in word),
        tuple(word[:-1] for word in anywhere if word.endswith("*") and "-" not in word),
        tuple(f" {word.replace('-', ' ').rstrip('*')}{'' if word.endswith('*') else ' '}" for word in anywhere if "-" in word),
        tuple(f" {word.replace('-', ' ')} " for word in starts),
    )


def _by_lang(table: Mapping[str, str]) -> dict[str, Cues]:
    return {lang: _cues(table["en"] if lang == "en" else f"{table['en']} {text}") for lang, text in table.items()}


NEGATIONS, ATTRIBUTIONS, CORRECTIONS, IRONIES, QUESTIONS = map(_by_lang, (NEGATION, ATTRIBUTION, CORRECTION, IRONY, ASKING))
CAUSES, COUNTERS, THANS, COMPARISONS = map(_by_lang, (CAUSING, COUNTERING, THAN, COMPARING))
SAYINGS, SUPPOSITIONS, WONDERINGS, CERTAINTIES, ANNOUNCEMENTS = map(_by_lang, (SAYING, SUPPOSING, WONDERING, CERTAIN, ANNOUNCING))
_FACT_CHECKERS = """
    snopes.com politifact.com factcheck.org fullfact.org factcheck.vlaanderen factcheck.afp.com factuel.afp.com faktencheck.afp.com
    leadstories.com africacheck.org correctiv.org mimikama.org mimikama.at nieuwscheckers.nl knack.be pointer.kro-ncrv.nl dubawa.org
    healthfeedback.org climatefeedback.org science.feedback.org boomlive.in altnews.in thequint.com checkyourfact.com maldita.es
    newtral.es pagellapolitica.it euvsdisinfo.eu bufale.net
"""
FACT_CHECKERS = frozenset(_FACT_CHECKERS.split())
"""Hosts that publish fact-checks. Who links there, as a rule does not assert what they refute."""
