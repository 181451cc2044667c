"""A made-up folder of data about claims, as training reads it."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from labeler.claims import seed
from tests.support.rated import rated_data

TOPICS = ("windmills", "umbrellas", "bicycles", "bakeries", "lighthouses", "tulips", "canals", "chimneys")
THINGS = ("copper", "hailstones", "marmalade", "thunder", "feathers", "granite", "vinegar", "lanterns")


def claimed_data(path: Path) -> None:
    """Everything that training reads, made up: a bank, gold pairs, everyday posts, judged pairs."""
    path.mkdir()
    rated_data(path)
    claims = [f"{topic.title()} secretly release {thing} over sleeping villages" for topic in TOPICS for thing in THINGS]
    (path / "claims").mkdir()
    (path / "stance").mkdir()
    rows = [{"vclaim_id": f"c{n}", "vclaim": text, "title": text, "subtitle": ""} for n, text in enumerate(claims)]
    (path / "claims" / "ct22_bank.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    _write(path / "claims" / "ct22_ratings.csv", ("vclaim_id", "rating"), [(f"c{n}", "false") for n in range(len(claims))])
    (path / "claims" / "ct22_train_queries.tsv").write_text(
        "\n".join(f"{n}\t{text}, they say" for n, text in enumerate(claims[:20])), "utf-8"
    )
    (path / "claims" / "ct22_train_qrels.tsv").write_text("\n".join(f"{n} 0 c{n} 1" for n in range(20)), "utf-8")
    posts = [(f"my neighbour waters {thing} and {topic} by lantern", "garden") for topic in TOPICS for thing in THINGS]
    _write(path / "posts" / "bluesky_keyword_half.csv", ("text", "topic"), posts)
    columns = ("post", "claim", "label", "claim_id", "claim_source", "claim_url", "lang")
    judged = []
    for n, text in enumerate(claims):
        said = (f"{text}, share this", f"No, {text.lower()}? Debunked, a myth", f"{text.split()[0]} look lovely over sleeping villages")[
            n % 3
        ]
        judged.append((said, text, ("ASSERTS", "REBUTS", "UNRELATED")[n % 3], f"c{n}", "ct22", "", "en"))
    judged.append((f"{seed.claims(0)[0].wordings[0].text}, they proved", "Something else entirely", "UNRELATED", "own1", "other", "", "en"))
    _write(path / "stance" / "pairs.csv", columns, judged)


def _write(file: Path, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([columns, *rows])
