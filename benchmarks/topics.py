"""What a topic's score costs, beside what cannot be saved: taking the post apart, and one pass for its words.

PYTHONPATH=. python benchmarks/topics.py
"""

from benchmarks.measure import compare, finish, verdict
from models.post import Post
from models.text import finder
from models.topic import FEATURES, Topic, said, text_of
from models.weights import Weights

ROUNDS = 2_000
SENTENCE = (
    "The climate crisis is no distant threat: sea levels rise, harvests fail and insurers leave. What can cities do before the next heat? "
)
POST = Post((SENTENCE * 3)[:300])


def terms_topic() -> tuple[Topic, dict[str, float]]:
    """1,000 terms, of which the post says three."""
    weights = {"climate": 2.0, "sea levels": 3.0, "heat": 0.5} | {f"term{number}": 1.0 for number in range(997)}
    return Topic.of_terms(weights), weights


def model_topic() -> Topic:
    """20,000 terms, of which the post says a third of what it says."""
    known = sorted(said(POST))[::3]
    return Topic.of_weights(Weights("topic", "climate", dict.fromkeys([*known, *(f"term{n}" for n in range(20_000))], 0.1), -1.0, FEATURES))


def main() -> None:
    """Print each ratio beside its limit, and what one score costs here and now."""
    terms, weights = terms_topic()
    model, search = model_topic(), finder({term: number for number, term in enumerate(weights)})
    by_terms = compare(lambda: [search([text_of(POST)]) for _ in range(ROUNDS)], lambda: [terms.score(POST) for _ in range(ROUNDS)])
    by_model = compare(lambda: [said(POST) for _ in range(ROUNDS)], lambda: [model.score(POST) for _ in range(ROUNDS)])
    print(f"a post of 300 characters: {by_terms.b / ROUNDS * 1e6:.1f} µs by terms, {by_model.b / ROUNDS * 1e6:.1f} µs by a model")
    finish(
        verdict("a score by 1,000 terms / finding them", by_terms.ratio, 2.5),
        verdict("a score by a model of 20,000 terms / taking the post apart", by_model.ratio, 2.5),
    )


if __name__ == "__main__":
    main()
