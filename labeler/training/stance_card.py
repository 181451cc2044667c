"""What the scorecard's card says in words: the sections of Mitchell et al. 2019, "Model Cards for Model Reporting", and a data sheet."""

from collections.abc import Sequence
from typing import Any

from labeler.training.report import Cell, Table, shown

AUC, RIGHT, LABELLED = 1, 3, 4
"""Columns of `stance_figures.compared`."""

PROSE: dict[str, Any] = {
    "summary": "What a post does with a claim that fact-checkers rated false: a few named features, each with one weight. Sum = intercept"
    " + value x weight of each feature. At the threshold or above, and where no feature that makes it abstain is above its bound, the post"
    " is taken to assert the claim. Sums are log-odds in the mix of the training data.",
    "intended_use": [
        "Proposes posts to people (mode shadow or review), with the claim, its fact-check and every number that decided.",
        "Short posts in English; in Dutch, French and German the same features are computed, and nobody has measured how well.",
    ],
    "out_of_scope": [
        "Telling true from false: it compares a post with a claim that others have rated.",
        "Claims that are not in the bank: no label means not checked.",
        "Labelling by itself, before people have judged a blind sample of what it labels, by language (the precision gate).",
        "Pictures, videos, what is quoted, what is linked to: the post's own text alone is read.",
    ],
    "factors": [
        "It abstains at the least sign of distance: negation, attribution, question, quotation, irony, words of correction, a link to a"
        " fact-checker, quoting another post, a number of the claim that is missing. Most who assert a claim are missed for that.",
        "Signs are bounded where the meaning demands it (features.signs): similarity and coverage never count against,"
        " cues of distance never for. A weight of 0 means that the examples would have had the other sign, or say nothing.",
        "Words for who people are and for ways of speaking count only where the claim has them, too.",
        "No judged example quotes another post, and nearly all are in English: quote_post and other_language are not learned."
        " The first is an abstention, the second is shown to the reviewer.",
        "Long claims are recognised better than short ones: three words in common are seldom enough.",
    ],
    "ethics": [
        "A label on one who rebuts or mocks a claim is the worst that can happen here: the threshold lies above every judged pair that"
        " asserts nothing, and is paid for with recall.",
        "A person decides; the author sees claim, fact-check and numbers, and can appeal.",
    ],
    "caveats": [
        "65 asserting pairs are few: intervals are wide, and the threshold was chosen on them."
        " The row in which it was not is the honest one; in_order, key_coverage and the margin were chosen with all of them in sight.",
        "The closest claim alone is looked at: one whose rating is not known silences a like one that is rated false, when it is closer and"
        " not worded the same.",
        "Pairs were picked by similarity and topic: shares among them are no base rates.",
        "The annotators agreed on 98.5 % of the pairs, and were of one kind: their errors may be shared.",
        "The list of abstentions and cues was written with the judged pairs at hand: figures on other pairs will be lower.",
        "The matcher's similarity was learned from the gold pairs, some of which are judged pairs: their similarity is a little too high.",
        "Ratings of about half the judged claims come from an aggregate that folds mixtures into false.",
    ],
    "data_sheet": [
        "stance/pairs.csv: 433 posts (Bluesky, tweets) beside a claim rated false; two people judged each alone: asserts, rebuts, reports,"
        " asks, or unrelated. No text is kept in the project.",
        "claims/: bank, ratings and gold pairs of CLEF CheckThat! 2022, task 2A (CC BY-SA 3.0).",
        "posts/bluesky_keyword_half.csv: posts found by seven search words; counted as asserting nothing (MIT).",
        "domains/: domains of low credibility (CC BY 4.0); the project ships no such list.",
    ],
}


TRIED = [
    {
        "tried": "other features of the match: second group, rarest key word missing, coverage by groups, longest phrase",
        "found": "as many pairs labelled, or fewer; more words in the same order and more key words labelled more",
    },
    {
        "tried": "a margin of 0.1 instead of 0.3",
        "found": "one unrelated pair labelled where the threshold is chosen without the pair's claim",
    },
    {
        "tried": "for the matcher's similarity, trees, hinges and products of features, bounded signs, wrong candidates of pairs as"
        " examples, the distance to the second candidate",
        "found": "no more posts matched at the same false alarms than by the plain sum; docs/training.md tells each",
    },
    {
        "tried": "for the matcher's similarity, all features, weaker and stronger regularisation, only the most similar everyday posts or"
        " only right pairs as examples",
        "found": "no more posts matched; the card of labeler/claims/similarity.json has the table",
    },
    {
        "tried": "for the matcher's similarity, set phrases as one word, the best sentence of the post, names as the post writes them, rare"
        " numbers above common ones, wording and title both covered",
        "found": "no more posts matched than with names_and_deeds, which asks for names and other words of the claim together",
    },
    {
        "tried": "the matcher's threshold by an exponential tail fitted to the 30 to 100 most similar everyday posts",
        "found": "32 to 47 % of pairs matched, as the number of posts has it; 47 % by counting alarms over nine tenths of the posts",
    },
    {
        "tried": "for the matcher's similarity, the summary's coverage taken from the wording where a claim has no summary",
        "found": "claims without a summary seemed too similar: 10 pairs labelled, all rightly, where 15 are without that",
    },
]
"""What the tables do not measure anew."""


def negative_results(tried: Table, without: Table) -> list[dict[str, str]]:
    """What does not help, with the tables' figures: ways to learn, and groups of features that were kept because they are asked for."""
    shipped, *others = tried.rows
    whole, *groups = without.rows
    useless = [row for row in groups if row[RIGHT] >= whole[RIGHT] and row[AUC] >= whole[AUC] - 0.005]  # type: ignore[operator]
    return [{"tried": str(row[0]), "found": f"{_told(row)}; as shipped {_told(shipped)}"} for row in (*others, *useless)] + TRIED


def _told(row: Sequence[Cell]) -> str:
    return f"{shown(row[RIGHT])} of {shown(row[LABELLED])} labelled rightly at its own threshold, AUC {shown(row[AUC])}"
