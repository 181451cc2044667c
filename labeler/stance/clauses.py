"""Where in a sentence the claim begins: by itself, or behind what others say of it, or what is only supposed.

Promise: pure; what is looked at is what stands before the claim's first word, in the sentence that has most of its words.
"""

from collections.abc import Collection, Sequence

from labeler.stance.cues import ANNOUNCEMENTS, CERTAINTIES, SAYINGS, SUPPOSITIONS, WONDERINGS, Cues
from labeler.stance.said import MARKS, Said, Sentence

BESIDE = 2
"""Words before "that" among which certainty counts: "it is proven now that"."""
SHORT = 3
"""Words of a question that asks about what was said before: "Is it true?"."""


def is_somebodys(said: Said, shared: Collection[str]) -> bool:
    """Whether the claim stands behind a "that" of which nobody is certain, or behind a colon that announces nothing."""
    most, saying, certain = _most(said, shared), _words(SAYINGS, said), _words(CERTAINTIES, said)
    lead = _lead(most.counting(saying.union(certain, shared)), shared)
    if any(word in saying and certain.isdisjoint(lead[max(0, at - BESIDE) : at]) for at, word in enumerate(lead)):
        return True
    announced = _announced(most.words, shared)
    return bool(announced) and certain.union(_words(ANNOUNCEMENTS, said)).isdisjoint(announced)


def is_supposed(said: Said, shared: Collection[str], own: Collection[str]) -> bool:
    """Whether the claim stands behind an "if" or "whether" that is not among its own words."""
    return not _words(SUPPOSITIONS, said).difference(own).isdisjoint(_lead(_most(said, shared).words, shared))


def is_told_about(said: Said, shared: Collection[str]) -> bool:
    """Whether the claim is the title of what is told about it: "...: what we know"."""
    words = _most(said, shared).words
    behind = words[max((at for at, word in enumerate(words) if word in shared), default=0) + 1 :]
    return len(behind) > 1 and behind[0] == ":" and behind[1] in _words(WONDERINGS, said)


def is_doubted(said: Said) -> bool:
    """Whether a short question follows on what was said."""
    asking = [sentence for sentence in said.sentences[1:] if "?" in sentence.words and not MARKS.issuperset(sentence.words)]
    return any(len(set(sentence.counting()) - MARKS) <= SHORT for sentence in asking)


def _words(by_lang: dict[str, Cues], said: Said) -> frozenset[str]:
    return by_lang.get(said.lang, by_lang["en"]).words


def _most(said: Said, shared: Collection[str]) -> Sentence:
    """The sentence that has most of the claim's words."""
    wanted = frozenset(shared)
    return max(said.sentences, key=lambda sentence: len(wanted.intersection(sentence.words)), default=Sentence((), ()))


def _lead(words: Sequence[str], shared: Collection[str]) -> Sequence[str]:
    """What stands before the claim's first word."""
    return words[: next((at for at, word in enumerate(words) if word in shared), 0)]


def _announced(words: Sequence[str], shared: Collection[str]) -> Sequence[str]:
    """What stands before the last colon behind which all of the claim's words are."""
    wanted = frozenset(shared).intersection(words)
    colons = [at for at, word in enumerate(words) if word == ":" and wanted.issubset(words[at:])]
    return words[: colons[-1]] if colons else ()
