"""What matching a post costs as the number of feeds grows, as ratios.

    python -m benchmarks.matching [--posts 4000] [--rounds 25]

F feeds of 20 keywords each (70 % words, 15 % hashtags, 10 % phrases of two words, 5 % Chinese, Japanese or Korean) against posts of about
78 characters in eleven made-up languages with a Zipf-like vocabulary.

The yardstick is ONE feed done as a regular expression of Python: an alternation of its 20 words, each with its boundaries, ignoring case.
It can be written in several ways, which differ by more than five times, so all are printed. The limit is set by the first, which finds
what the feed finds in these posts. The last, one pair of `\\b` around all words, is as fast as it gets, for its boundary is looked for only
once at each letter; a '#' cannot stand behind such a boundary, and a Chinese or Japanese word within a sentence has none.
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence
from itertools import accumulate

from benchmarks.measure import Compared, compare, finish, verdict
from feedgen.feed import Feed
from feedgen.matcher import Matcher
from feedgen.rules import load
from feedgen.text import bounded
from models.post import Post
from plainsky.memory import settle

SEED = 7
AUTHOR = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
FEEDS = (10, 100, 1_000, 10_000)
LIMIT_THOUSAND = 3.0
LIMIT_REGEX = 1.0
BATCH = 2_000
"""Posts matched at once, as the pipeline does when there is much to do (`[ingest] batch_size`)."""
LENGTH = 78
WORDS = 3_000
"""Words in a language's vocabulary."""
COMMON = 60
"""So many of the commonest words nobody asks for: "the", "and" ..."""

SPACED = (
    "etaoinshrdlucmfwypvbgk",
    "enatirodslghvkmubpwjcz",
    "esaitnrulodcmpévqfbghàèçêù",
    "enisratdhulcgmobwfkzüvpäßjö",
    "eaosrnidltcumpbgvyqhfzjñxáíóé",
    "aeosrdinmutcplvgqbfzhãçáêjóí",
    "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэф",
    "ايلمونتربةعدسفهكقحجشصطخضذثزءئ",
)
UNSPACED = (
    "".join(map(chr, (*range(0x3042, 0x3094), *range(0x4E00, 0x5200)))),  # kana and kanji
    "".join(map(chr, range(0x4E00, 0x5500))),  # hanzi
    "".join(map(chr, range(0xAC00, 0xD7A4, 10))),  # hangul
)


class Language:
    """A made-up language: its words by rank."""

    def __init__(self, chance: random.Random, letters: str, spaced: bool) -> None:
        self.spaced = spaced
        self.words = [self._word(chance, letters, self._length(chance, rank)) for rank in range(WORDS)]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
        self._beyond = [weight - self._weights[COMMON - 1] for weight in self._weights[COMMON:]]

    def _length(self, chance: random.Random, rank: int) -> int:
        # Common words are short (Zipf's law of abbreviation): otherwise far more words would stand within others than in real posts.
        return chance.randint(2, 4) if rank < COMMON or not self.spaced else chance.randint(4, 11)

    def _word(self, chance: random.Random, letters: str, length: int) -> str:
        return "".join(chance.choices(letters, [1 / (rank + 2) for rank in range(len(letters))], k=length))

    def spoken(self, chance: random.Random, count: int) -> list[str]:
        """Words as they come in a text."""
        return chance.choices(self.words, cum_weights=self._weights, k=count)

    def wanted(self, chance: random.Random) -> str:
        """A word that a feed asks for."""
        return self.words[chance.choices(range(COMMON, WORDS), cum_weights=self._beyond)[0]]


def posts(chance: random.Random, languages: Sequence[Language], count: int) -> list[Post]:
    """Posts of all languages, some with a capital, a line break, a hashtag."""
    return [_post(chance, chance.choice(languages)) for _ in range(count)]


def _post(chance: random.Random, language: Language) -> Post:
    words: list[str] = []
    length = max(5, chance.gauss(LENGTH, 40))
    while sum(map(len, words)) + len(words) * language.spaced < length:
        (word,) = language.spoken(chance, 1)
        words.append(word.capitalize() + chance.choice(("", "", ",", ".", "!")) if chance.random() < 0.2 else word)
    text = (" " if language.spaced else "").join(words) + chance.choice(("", "", "", "\n\n", "!", " 😀"))
    tags = tuple(language.spoken(chance, 1)) if chance.random() < 0.2 else ()
    return Post("".join((text, *(f" #{tag}" for tag in tags))), tags=tags, langs=("xx",))


def feeds(chance: random.Random, languages: Sequence[Language], count: int) -> list[Feed]:
    """Feeds of two includes: 17 words and phrases, 3 hashtags."""
    keyword, hashtag = load("keyword"), load("hashtag")
    made = []
    for number in range(count):
        words, tags = _asked(chance, languages)
        made.append(Feed(rkey=f"feed-{number}", name=f"Feed {number}", include=(keyword(any=words), hashtag(any=tags))))
    return made


def _asked(chance: random.Random, languages: Sequence[Language]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    spaced = [language for language in languages if language.spaced]
    unspaced = [language for language in languages if not language.spaced]
    words = [chance.choice(spaced).wanted(chance) for _ in range(14)]
    phrases = [f"{language.wanted(chance)} {language.wanted(chance)}" for language in chance.choices(spaced, k=2)]
    tags = [chance.choice(spaced).wanted(chance) for _ in range(3)]
    return (*words, *phrases, chance.choice(unspaced).wanted(chance)), tuple(tags)


def expressions(feed: Feed) -> dict[str, re.Pattern[str]]:
    r"""One feed, written in several ways, from the most exact to the fastest.

    The first two find the same: `\b` cannot stand before a '#', so there it is left out. The third finds tags without their '#', too.
    """
    keyword, hashtag = (rule.any for rule in feed.include)  # type: ignore[attr-defined]
    spaced = [word for word in keyword if bounded(word) != (False, False)]
    unspaced = [word for word in keyword if bounded(word) == (False, False)]
    around = [rf"(?<!\w){word}(?!\w)" for word in (*spaced, *(f"#{tag}" for tag in hashtag))]
    beside = [*(rf"\b{word}\b" for word in spaced), *(rf"#{tag}\b" for tag in hashtag)]
    written = {
        "look-around at each word": "|".join([*around, *unspaced]),
        r"\b at each word": "|".join([*beside, *unspaced]),
        r"\b around all": rf"\b(?:{'|'.join([*keyword, *hashtag])})\b",
    }
    return {how: re.compile(pattern, re.IGNORECASE) for how, pattern in written.items()}


def _matched(matcher: Matcher, stream: Sequence[Post], at_once: int) -> Callable[[], None]:
    batches = [[(AUTHOR, post) for post in stream[at : at + at_once]] for at in range(0, len(stream), at_once)]

    def run() -> None:
        for batch in batches:
            for _ in matcher.match_each(batch):
                pass

    return run


def _entered(matcher: Matcher, stream: Sequence[Post]) -> int:
    return sum(len(one.feeds) for post in stream for one in matcher.match(AUTHOR, post))


def _searched(expression: re.Pattern[str], stream: Sequence[Post]) -> Callable[[], None]:
    search = expression.search

    def run() -> None:
        for post in stream:
            search(post.text)

    return run


def _built(made: Sequence[Feed]) -> Matcher:
    before = time.process_time()
    matcher = Matcher(made)
    print(f"{len(made):>6} feeds: built in {time.process_time() - before:.2f} s", end="")
    return matcher


def _of_one(one: Compared, stream: Sequence[Post]) -> str:
    return f"{one.b / len(stream) * 1e6:.1f} µs a post"


def main() -> None:
    """Print costs and ratios; exit code 1 when a limit is passed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--posts", type=int, default=4_000)
    options.add_argument("--rounds", type=int, default=25)
    args = options.parse_args()
    chance = random.Random(SEED)
    languages = [*(Language(chance, letters, True) for letters in SPACED), *(Language(chance, letters, False) for letters in UNSPACED)]
    stream = posts(chance, languages, args.posts)
    made = feeds(chance, languages, max(FEEDS))
    print(f"{len(stream)} posts of {sum(len(post.text) for post in stream) / len(stream):.0f} characters on average")
    runs = {}
    for count in FEEDS:
        matcher = _built(made[:count])
        print(f", {_entered(matcher, stream) / len(stream):.1f} of them entered by a post")
        runs[count] = _matched(matcher, stream, BATCH)
    settle()  # as the service does when all is built
    compared = {count: compare(runs[FEEDS[0]], runs[count], args.rounds) for count in FEEDS}
    alone = compare(runs[max(FEEDS)], _matched(matcher, stream, 1), args.rounds)
    for count, one in compared.items():
        print(f"{count:>6} feeds: {_of_one(one, stream)}")
    print(f"{max(FEEDS):>6} feeds, one post at a time: {_of_one(alone, stream)}")
    regex = {how: compare(_searched(one, stream), runs[10_000], args.rounds) for how, one in expressions(made[0]).items()}
    for how, one in regex.items():
        print(f"one feed as a regular expression, {how}: {one.a / len(stream) * 1e6:.1f} µs a post (10,000 feeds: {one.ratio:.2f} times)")
    finish(
        verdict("1,000 feeds to 10 feeds", compared[1_000].ratio, LIMIT_THOUSAND),
        verdict("10,000 feeds to one regular expression", next(iter(regex.values())).ratio, LIMIT_REGEX),
    )


if __name__ == "__main__":
    main()
