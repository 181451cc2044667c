"""What the text model's card says in words: the sections of Mitchell et al. 2019, "Model Cards for Model Reporting", and a data sheet."""

from collections.abc import Sequence
from typing import Any

from labeler.training.report import Table, shown

PROSE: dict[str, Any] = {
    "summary": "How far a text reads like those that fact-checkers rated false: words, pairs of words and runs of letters, each with one"
    " weight. Score = intercept + sum of the weights of the distinct words and pairs / square root of how many of them the model knows"
    " + the same over runs of letters. Log-odds; 0 is even odds in the mix of the training data.",
    "intended_use": [
        "Ranks a queue that people look at, and may be one feature of the scorecard.",
        "Short posts in English.",
    ],
    "out_of_scope": [
        "Labelling, hiding or down-ranking anything by itself: it can never do so in this project.",
        "Telling true from false: it knows how false claims of its data are worded, not what is the case.",
        "Judging authors or groups.",
        "Languages other than English: it was shown no rated text in any other; a low coverage says that it does not know the words.",
    ],
    "factors": [
        "Words for identity, religion, nationality, party and politicians, and dialect, with the standard words it stands for, are masked"
        " in English, Dutch, French and German before features are made. They carry no weight, and no feature reaches across them.",
        "The words by which the everyday posts were found are masked as well: they tell the sample, not the text.",
        "The lists of masked words are finite: a word that is missing there is a word like any other.",
        "Register: it learned from fact-checks' headlines and from posts about COVID-19, and ranks plain news wording too high.",
        "Topic: most rated texts are about COVID-19 or politics of the United States; everyday posts were found by seven search words.",
    ],
    "ethics": [
        "A high score is no accusation, and is shown to moderators with the terms that caused it.",
        "Masking cannot remove what stands for a group without naming it (places, names of people, topics).",
        "The texts belong to their authors. The file holds no text: no term has more than two words or five letters of a word, and each"
        " stood in at least ten texts.",
    ],
    "caveats": [
        "Figures on sets that the model knows are far above those on sets that it does not know. Believe the latter.",
        "Everyday posts are unlabelled: some of those counted as false alarms may be false.",
        "A probability holds for the mix of the training data; in a stream of posts false ones are far rarer.",
        "Fact-checkers rate what is contested: a text that nobody checked is neither true nor false here.",
    ],
    "data_sheet": [
        "constraint_covid: posts about COVID-19, rated real or fake (CONSTRAINT shared task, AAAI 2021; MIT).",
        "covid_rumor: rumours about COVID-19, rated true or false; many false ones are fact-checks' headlines (MIT).",
        "liar2_valtest: statements of politicians, rated by PolitiFact; mostly-false and worse count as false (Apache-2.0).",
        "bluesky_keyword_half: posts found by seven search words in November 2024; everyday posts, counted as not false (MIT).",
        "bluesky_hot: posts of popular feeds in March 2024; everyday posts, counted as not false (MIT).",
        "Cleaning: URLs, handles, mark-up, case and punctuation are removed, numbers become 0. The same words count once; with both labels,"
        " not at all. No text is kept in the project.",
    ],
}


def negative_results(compared: Table) -> list[dict[str, str]]:
    """What does not help, with the figures of the table of variants, whose first row is what ships."""
    shipped, *others = ([shown(cell) for cell in row] for row in compared.rows)
    return [{"tried": name, "found": _found(figures, shipped[1:])} for name, *figures in others]


def _found(one: Sequence[str], shipped: Sequence[str]) -> str:
    unseen, flags, spread = (f"{mine} ({its} as shipped)" for mine, its in zip(one, shipped, strict=True))
    return f"mean AUC on unseen sets {unseen}, everyday posts of 10,000 above even odds {flags}, swap spread {spread}"
