"""What it costs to judge a post by claims, from its words to the evidence, beside a bare dot product over its words, in the same run.

    python -m benchmarks.classify [--claims 15000] [--posts 2000] [--rounds 7] [--data DIR]

Claims and posts are made up of words as common as in everyday posts, a quarter of the claims in each of four languages;
with --data the claims and posts of that folder (see labeler/training/evaluate_matching.py) are used instead.
Measured is the signal claim_match as the labeler runs it: cleaning, both indexes, stance, text model, scorecard, evidence; one post at a
time, for nothing is gained by batches: there is no matrix in it.
Limits: 500 µs of CPU a post on average; a kept index is loaded in 0.5 s and 60 MiB.
"""

import argparse
import random
import re
import tempfile
import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from benchmarks.measure import compare, finish, verdict
from labeler.claims.bank import Bank, InForce
from labeler.claims.matching import Matcher
from labeler.claims.reading import claim_id
from labeler.claims.stopwords import STOP_WORDS
from labeler.claims.vocabulary import background
from labeler.signals import Given, load
from labeler.training import evaluate_matching
from models.claims import Claim, Wording
from models.post import Post

SEED = 7
LANGS = ("en", "nl", "fr", "de")
LIMIT_MICROSECONDS, LIMIT_SECONDS, LIMIT_MIB = 500.0, 0.5, 60.0


def made_up(chance: random.Random, claims: int, posts: int) -> tuple[list[Claim], list[str]]:
    """Claims of some 17 words with title and summary, posts of some 30, as common as they are in everyday posts.

    Claims tell of rarer things than posts do, and those in other languages have words of their own.
    """
    known = background().words["en"]
    words, common = list(known), list(accumulate(known.values()))
    stop, rarer = sorted(STOP_WORDS["en"]), list(accumulate(count**0.4 for count in known.values()))

    def claimed(lang: str, length: int) -> str:
        return " ".join(word if lang == "en" else f"{word}{lang}" for word in chance.choices(words, cum_weights=rarer, k=length))

    def posted(length: int) -> str:
        return " ".join(
            chance.choice(stop) if chance.random() < 0.45 else chance.choices(words, cum_weights=common)[0] for _ in range(length)
        )

    bank = []
    for n in range(claims):
        lang = LANGS[n % 4]
        wording, title, summary = claimed(lang, chance.randint(8, 20)), claimed(lang, 6), claimed(lang, 9)
        made = Claim(
            id=claim_id(wording, str(n), None), wordings=(Wording(wording, lang),), rating="False", lang=lang, title=title, summary=summary
        )
        bank.append(made)
    return bank, [posted(chance.randint(5, 50)) for _ in range(posts)]


def resident() -> float:
    """MiB of this process."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def dot(posts: Sequence[str]) -> float:
    """The yardstick: words looked up in a dict of weights and summed."""
    weights, find = background().words["en"], re.compile(r"\w+").findall
    return sum(weights.get(word, 0) for post in posts for word in find(post.lower()))


def main() -> None:
    """Print costs beside their limits; exit code 1 when one is passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=15_000)
    parser.add_argument("--posts", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    chance = random.Random(SEED)
    if args.data:
        data = evaluate_matching.read(args.data)
        bank, posts = data.bank[: args.claims], [text for text, _ in chance.sample(data.everyday, args.posts)]
    else:
        bank, posts = made_up(chance, args.claims, args.posts)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "claims.index"
        began = time.process_time()
        Matcher(bank, file=file)
        print(f"{len(bank)} claims: built in {time.process_time() - began:.2f} s of CPU, {file.stat().st_size / 1e6:.1f} MB on disk")
        before, began = resident(), time.process_time()
        matcher = Matcher(bank, file=file)
        loading, memory = time.process_time() - began, resident() - before
    signal = load("claim_match", Given(Bank(InForce(matcher, "", len(bank)))))
    records = [Post(text) for text in posts]
    candidates = [post for post in records if (found := matcher.candidates(post.text)) and found[0].claim.rating.lower() == "false"]
    fired = sum(signal.look(post) is not None for post in records)
    matching = compare(lambda: dot(posts), lambda: [matcher.candidates(post) for post in posts], args.rounds)
    whole = compare(lambda: dot(posts), lambda: [signal.look(post) for post in records], args.rounds)
    of_candidates = compare(
        lambda: [matcher.candidates(post.text) for post in candidates], lambda: [signal.look(post) for post in candidates], args.rounds
    )
    each = whole.b / len(posts) * 1e6
    stance = (of_candidates.b - of_candidates.a) / max(1, len(candidates)) * 1e6
    print(f"{len(posts)} posts, {100 * len(candidates) / len(posts):.1f} % with a candidate that is rated false, {fired} findings")
    print(f"stance, text model, scorecard and evidence of one with a candidate: {stance:.0f} µs")
    print(f"the whole post: {each:.0f} µs of CPU, {1e6 / each:.0f} a second; matching alone {matching.b / len(posts) * 1e6:.0f} µs")
    print(f"a bare dot product: {whole.a / len(posts) * 1e6:.1f} µs a post; the whole costs {whole.ratio:.0f} times that")
    finish(
        verdict("µs of CPU a post", each, LIMIT_MICROSECONDS),
        verdict("seconds to load a kept index", loading, LIMIT_SECONDS),
        verdict("MiB that it takes", memory, LIMIT_MIB),
    )


if __name__ == "__main__":
    main()
