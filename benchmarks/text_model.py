"""What one score of the text model costs with its five strongest terms, beside scikit-learn's pipeline of the same model in batches of 256.

    python -m benchmarks.text_model [--model FILE] [--texts FILE] [--posts 10240]

CPU time, both in turn in one run. Ours goes post by post, each new to it; scikit-learn gets the cleaned texts for nothing ("bare"),
and cleans them itself as ours does ("whole"). FILE of texts: one post a line, or a CSV with a column text; without one, posts are made up
of words with the frequencies of speech, a tenth of them new. Ours may cost as much as the bare pipeline: limit 1.0. The aim, on the
machine it was set on, is 15 us against 23 us a post of 78 characters: 0.65 of the pipeline. That was a model of words and pairs alone;
this one has runs of letters, too, which cost scikit-learn more than all else.
"""

import argparse
import csv
import random
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

from benchmarks.measure import compare, finish, verdict
from labeler.training import TrainingError
from labeler.training.fitting import pipeline
from labeler.training.kinds import SHIPPED
from models.text_model import TextModel

LIMIT = 1.0
BATCH = 256
ROUNDS = 9
LETTERS = "etaoinshrdlcumwfgypbvkjxqz"


def made_up(posts: int, model: TextModel) -> list[str]:
    """Posts of 3 to 12 words, as long as those that the aim was set on: the model's own by Zipf's law, and new ones."""
    chance = random.Random(7)
    known = [term for term in model.weights.weights if "*" not in term and " " not in term]
    chance.shuffle(known)
    weights = [1 / (rank + 3) for rank in range(len(known))]
    new = ["".join(chance.choices(LETTERS, k=chance.randint(3, 10))) for _ in range(3 * posts)]

    def post() -> str:
        words = chance.choices(known, weights, k=chance.randint(3, 12))
        return " ".join(chance.choice(new) if chance.random() < 0.1 else word for word in words).capitalize() + ". https://example.org/a"

    return [post() for _ in range(posts)]


def read(file: Path, posts: int) -> list[str]:
    """The first posts of a file."""
    with file.open(newline="", encoding="utf-8") as lines:
        found = [row["text"] for row in csv.DictReader(lines)] if file.suffix == ".csv" else [line.strip() for line in lines]
    return list(islice(cycle(found), posts))


def main() -> None:
    """Print each ratio beside its limit."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", type=Path, default=SHIPPED / "text.json")
    options.add_argument("--texts", type=Path)
    options.add_argument("--posts", type=int, default=10_240)
    args = options.parse_args()
    model = TextModel.read(args.model)
    try:
        finish(_compare(model, read(args.texts, args.posts) if args.texts else made_up(args.posts, model)))
    except TrainingError as error:
        print(f"nothing to compare with: {error}")


def _compare(model: TextModel, texts: Sequence[str]) -> bool:
    judge = pipeline(model).decision_function
    far = max(abs(model.score(text).value - float(value)) for text, value in zip(texts, judge(texts), strict=True))
    size = sum(map(len, texts)) / len(texts)
    print(f"{len(texts):,} posts of {size:.0f} characters, {len(model.weights.weights):,} terms; largest difference of a score {far:.1e}")
    bare = pipeline(model, cleaned=True).decision_function
    clean = [" ".join(model.words(text)) for text in texts]
    return far < 1e-9 and all([_costs(model, texts, "whole", judge, texts), _costs(model, texts, "bare", bare, clean)])


def _costs(model: TextModel, texts: Sequence[str], name: str, judge: Callable[[Sequence[str]], object], theirs: Sequence[str]) -> bool:
    """Each round has posts of its own; the model remembers words of those before, as it does in the service."""
    fresh = TextModel(model.weights)
    size = len(texts) // (ROUNDS + 1)
    ours, batches = iter(range(0, size * (ROUNDS + 1), size)), iter(range(0, size * (ROUNDS + 1), size))

    def one_by_one() -> None:
        start = next(ours)
        for text in texts[start : start + size]:
            fresh.score(text)

    def in_batches() -> None:
        start = next(batches)
        for begin in range(start, start + size, BATCH):
            judge(theirs[begin : min(begin + BATCH, start + size)])

    found = compare(in_batches, one_by_one, ROUNDS)
    each, in_batch = (seconds / size * 1e6 for seconds in (found.b, found.a))
    theirs_told = f"scikit-learn {name} in batches of {BATCH}, {in_batch:.1f} us"
    what = f"text model with five terms, one by one, {each:.1f} us of CPU a post / {theirs_told}"
    return verdict(what, found.ratio, LIMIT)


if __name__ == "__main__":
    main()
