"""Domains of low credibility and patterns: context for who decides, a feature of the scorecard, and never a reason by themselves."""

from pathlib import Path

import pytest

from labeler import signals
from labeler.claims.bank import Bank
from labeler.context import Context, Domains
from labeler.judge import Judge
from labeler.policy import LabelPolicy
from labeler.signals import Given
from models.post import Post
from models.weights import BadWeights
from plainsky.cli import main
from plainsky.config.errors import ConfigErrors
from plainsky.config.hashing import config_hash
from plainsky.config.loading import parse
from plainsky.labeling.banking import given_of
from tests.support.labels import AUTHOR
from tests.support.stance import all_given

HEAD = '[service]\nhostname = "x.example.org"\n[[labels]]\nvalue = "claim"\nsignals = ["claim_match"]\n[labeler.context]\n'
ASSERTS = "Look! Windmills poison our drinking water with copper everywhere"


def test_a_link_to_a_doubtful_domain_or_below_it_is_told_and_so_is_a_pattern_that_fits() -> None:
    context = Context(domains=("Hoax.example", "www.other.example"), patterns=("(?i)sheep(le)?", "never"))
    post = Post(
        "wake up, SHEEPLE", links=("https://news.hoax.example/a", "https://example.org"), alts=("one",), card=("see other.example/x",)
    )

    assert list(context.notes(post)) == [
        "it links to news.hoax.example: hoax.example is on your list of low credibility",
        "your pattern (?i)sheep(le)? fits: SHEEPLE",
    ]
    assert list(Context().notes(post)) == []
    assert list(Context(domains=("hoax.example",)).notes(Post("x", links=("https://nothoax.example", "https://[x")))) == []


def test_it_weighs_in_the_scorecard_and_is_no_reason_without_a_claim() -> None:
    doubtful = all_given()._replace(doubtful=frozenset({"hoax.example"}))
    links = ("https://hoax.example/x",)

    def weight(given: Given) -> float:
        found = signals.load("claim_match", given).look(Post(ASSERTS, links=links, langs=("en",)))
        assert found
        return found.weight

    assert weight(doubtful) > weight(all_given())
    judge = Judge([LabelPolicy("claim", ("claim_match",), threshold=0.1)], given=doubtful)
    assert judge.judge(AUTHOR, Post("Good morning, here is my breakfast", links=links)) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.example\n# a comment\n\nB.example  # why\n", {"a.example", "b.example"}),
        ("domain,category\na.example,fake\nwww.b.example,fake\n", {"a.example", "b.example"}),
        ('\ufeffsource;x\n"bücher.example";1\n', {"bücher.example"}),
        ("", set()),
    ],
    ids=["lines", "a table", "quoted, with a byte order mark", "empty"],
)
def test_a_file_of_domains_is_read(text: str, names: set[str], tmp_path: Path) -> None:
    file = tmp_path / "doubtful.csv"
    file.write_text(text)
    config = parse(HEAD + f'domains = ["c.example"]\ndomains_file = "{file}"\n')

    assert given_of(config, Bank()).doubtful == names | {"c.example"}


def test_another_file_is_another_config_and_the_same_in_another_order_is_not(tmp_path: Path) -> None:
    def hashed(text: str) -> str:
        file = tmp_path / "doubtful.csv"
        file.write_text(text)
        return config_hash(parse(HEAD + f'domains_file = "{file}"\n'))

    assert hashed("a.example\nb.example") == hashed("b.example\na.example")
    assert hashed("a.example\nb.example") != hashed("a.example")
    assert Domains.loads(b"a.example") == Domains.loads(b"A.example")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('domains = ["https://a.example"]', 'labeler.context.domains[0]: "https://a.example": expected a domain like "example.org"'),
        ('domains = ["a.example/x"]', "without a path"),
        ('domains = ["localhost"]', "expected a domain"),
        ('domains_file = "nowhere.csv"', 'labeler.context.domains_file: "nowhere.csv": no such file'),
        ("patterns = ['(?=x)']", "expected a regular expression that RE2 accepts: invalid perl operator: (?="),
        ('patterns = [""]', "expected 1 to 1000 characters"),
        ('domain = ["a.example"]', "did you mean"),
    ],
)
def test_what_is_none_is_refused_with_its_place(line: str, said: str) -> None:
    with pytest.raises(ConfigErrors) as told:
        parse(HEAD + line + "\n")

    assert said in str(told.value)


def test_explain_tells_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    config, post = tmp_path / "config.toml", tmp_path / "post.json"
    monkeypatch.setenv("PLAINSKY_STORE_URL", f"sqlite:///{tmp_path / 'none.sqlite'}")
    config.write_text(HEAD.replace("claim_match", "gtube") + 'patterns = ["b."]\n')
    post.write_text('{"$type": "app.bsky.feed.post", "text": "abc", "createdAt": "2026-01-01T00:00:00Z"}')

    assert main(["explain", str(post), "--config", str(config), "--offline"]) == 0
    assert "Context, for who decides\n  your pattern b. fits: bc\n" in capsys.readouterr().out


def test_a_file_with_a_line_that_is_no_domain_is_refused_with_its_number() -> None:
    with pytest.raises(BadWeights, match="line 2: expected a domain"):
        Domains.loads(b"a.example\nnot a domain.\n")
