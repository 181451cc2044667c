"""Words in texts: what is found in many texts at once is what each of them contains (issue: matching cost)."""

from hypothesis import example, given
from hypothesis import strategies as st

from models.text import contains, finder, fold

WRITTEN = st.text("aAbß #-\n'*気候ก\u0301\u0947ſ", max_size=12)
WORDS = st.text("abs #-'*気候ก\u0301\u0947", min_size=1, max_size=4).map(fold).filter(lambda word: word.strip(" *") != "")


@given(st.lists(WRITTEN, max_size=80), st.sets(WORDS, min_size=1, max_size=6))
@example(["a", "b", "", "a b", "b\na"], {"a b", "a", "b a"})
@example([*["a"] * 31, "", "b", "", *["b"] * 40], {"b"})
def test_many_texts_at_once_contain_what_each_contains_by_itself(written: list[str], words: set[str]) -> None:
    texts, numbers = [fold(text) for text in written], {word: number for number, word in enumerate(sorted(words))}

    found = finder(numbers)(texts)

    assert [sorted(each) for each in found] == [[number for word, number in numbers.items() if contains(text, word)] for text in texts]
