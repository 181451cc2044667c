"""The table `decision`: what was decided, by whom, on what evidence, and what came of it. All of its SQL.

A label of the log points at the decision it follows from. A decision that answers an earlier one (a person confirms what a machine found)
names it in `about_id`, so that the whole chain of reasons can be told. Only `waits_for`, `outcome` and the post's words ever change.

Ids are given by the writer, who holds the label log's lock (`models.labels.lock`).
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import takewhile
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from models import label_uris, tails
from models.database import Row, Session

Action: TypeAlias = Literal["label", "negate", "none"]
"""What was decided: to issue a label, to take one back, or nothing yet (shadow and review)."""
WaitsFor: TypeAlias = Literal["labelling", "negating", "person", "second"]
"""What must come next: room for a label or a negation in the stream, a person's word, another person's word."""
Outcome: TypeAlias = Literal["issued", "superseded", "rejected", "confirmed"]
"""What came of it: in the log; the post changed before; a person said no; a person said yes, in a decision of its own."""


class Decision(NamedTuple):
    """A row of the table. `evidence` is plain data; `cid` is empty for an account and for all versions of a record."""

    id: int
    uri: str
    cid: str
    val: str
    action: Action
    mode: str
    """"shadow", "review" or "auto", as the label's policy was; "person" when a person decided."""
    evidence: dict[str, Any]
    rules_hash: str | None
    """Of policy, signals and models; None for what does not follow from rules."""
    decided_at: int
    """In microseconds."""
    role: str = "machine"
    moderator: str | None = None
    """Whose word it is; for moderators' eyes only."""
    reason: str | None = None
    about_id: int | None = None
    life: int | None = None
    """How long the label lives, in microseconds, if it is not renewed; None for what is no label."""
    waits_for: WaitsFor | None = None
    outcome: Outcome | None = None
    text_hash: str | None = None
    """Of the words that were judged: see `models.post.text_hash`."""
    body: str | None = None
    """The post as it was judged, as `models.posts.packed` makes it; None once the post is deleted."""


class Known(NamedTuple):
    """What the issuer must know of an earlier decision on a post."""

    uri: str
    cid: str
    val: str
    id: int
    action: Action
    mode: str
    role: str
    waits_for: WaitsFor | None
    outcome: Outcome | None
    has_body: bool


_COLUMNS = ", ".join(Decision._fields)
_ADD = f"INSERT INTO decision ({_COLUMNS})"
_MACHINES = "id, uri, cid, val, action, mode, evidence, rules_hash, decided_at, life, waits_for, outcome, text_hash, body"
_encode = msgspec.json.Encoder().encode


def last_id(session: Session) -> int:
    """The highest id in use."""
    return int(session.execute("SELECT coalesce(max(id), 0) FROM decision")[0][0])


def add(session: Session, decisions: Iterable[Decision]) -> None:
    """Write new decisions."""
    session.insert(_ADD, [(*row[:6], _encode(row.evidence).decode(), *row[7:]) for row in decisions])


def by_machine(
    id: int,
    uri: str,
    cid: str,
    val: str,
    action: Action,
    mode: str,
    evidence: dict[str, Any],
    rules_hash: str | None,
    decided_at: int,
    life: int | None,
    waits_for: WaitsFor | None,
    outcome: Outcome | None,
    text_hash: str | None,
    body: str | None,
) -> Row:
    """A decision that no person took, as the table keeps it, without the detour over a `Decision`: one is made of every label."""
    return id, uri, cid, val, action, mode, _encode(evidence).decode(), rules_hash, decided_at, life, waits_for, outcome, text_hash, body


def add_machines(session: Session, rows: Sequence[Row]) -> None:
    """Write new decisions that `by_machine` made."""
    session.insert(f"INSERT INTO decision ({_MACHINES})", rows)


def known(session: Session, uris: Sequence[str]) -> list[Known]:
    """Everything decided of these, oldest first."""
    found: list[Row] = []
    for start in range(0, len(uris), _WIDTHS[-1]):
        some = uris[start : start + _WIDTHS[-1]]
        width = next(width for width in _WIDTHS if width >= len(some))
        padded = [*some, *[some[-1]] * (width - len(some))]
        found += session.execute(_KNOWN[width], [*map(tails.of, padded), *padded])
    return sorted((Known._make((*row[:9], bool(row[9]))) for row in found), key=lambda row: row.id) if found else []


# This is asked for every batch.
_WIDTHS = (1, 4, 16, 64, 256)
_KNOWN = {
    width: f"SELECT uri, cid, val, id, action, mode, role, waits_for, outcome, body IS NOT NULL FROM decision WHERE {tails.among(width)}"
    for width in _WIDTHS
}


def of_uri(session: Session, uri: str) -> list[Decision]:
    """Everything decided of a post or an account, oldest first."""
    return _all(session, f"WHERE {tails.OF_URI} ORDER BY id", tails.key(uri))


def by_id(session: Session, decision_id: int) -> Decision | None:
    """One decision."""
    return next(iter(_all(session, "WHERE id = ?", (decision_id,))), None)


def chain(session: Session, decision_id: int) -> list[Decision]:
    """A decision, what it answered, what that answered ...: the first says what is, the last what it began with."""
    found: list[Decision] = []
    following: int | None = decision_id
    while following is not None and (decision := by_id(session, following)):
        found.append(decision)
        following = decision.about_id
    return found


def seconds(session: Session, decision: Decision) -> list[Decision]:
    """The second person's yes to it, which is a decision about the first one's."""
    return [one for one in of_uri(session, decision.uri) if one.about_id == decision.id and one.outcome == "confirmed"]


def waiting(session: Session, waits_for: WaitsFor, after: int = 0, limit: int = 50, val: str | None = None) -> list[Decision]:
    """What waits, oldest first; of one value if wanted."""
    which = "waits_for = ? AND id > ?" + (" AND val = ?" if val else "")
    return _all(session, f"WHERE {which} ORDER BY id LIMIT ?", (waits_for, after, *([val] if val else []), limit))


def count_waiting(session: Session) -> dict[str, int]:
    """How many decisions wait, by what they wait for."""
    return dict(session.execute("SELECT waits_for, count(*) FROM decision WHERE waits_for IS NOT NULL GROUP BY waits_for"))


def is_room_wanted(session: Session) -> bool:
    """Labels or negations wait to be issued."""
    return bool(session.execute("SELECT 1 FROM decision WHERE waits_for IN ('negating', 'labelling') LIMIT 1"))


def settle(session: Session, outcomes: Iterable[tuple[int, Outcome]]) -> None:
    """Nothing more is waited for: (id, what came of it)."""
    session.executemany("UPDATE decision SET waits_for = NULL, outcome = ? WHERE id = ?", [(outcome, id) for id, outcome in outcomes])


def release(session: Session, decision_id: int) -> None:
    """A second person agreed: the label waits for room only."""
    session.execute("UPDATE decision SET waits_for = 'labelling' WHERE id = ?", (decision_id,))


def reopen(session: Session, decision_id: int) -> None:
    """It waits again, a machine's for a person, a person's for a second one: the word on it was taken back."""
    waits_for = "CASE mode WHEN 'person' THEN 'second' ELSE 'person' END"
    session.execute(f"UPDATE decision SET waits_for = {waits_for}, outcome = NULL WHERE id = ?", (decision_id,))


def uris_of(session: Session, did: str) -> list[str]:
    """The account itself and its records, as far as anything was decided of them."""
    unissued = session.execute(_UNISSUED, (f"at://{did}/", f"at://{did}0"))
    found = {*label_uris.beginning(session, f"at://{did}/"), *[uri for (uri,) in unissued]}
    return sorted({*found, *([did] if known(session, [did]) else [])})


# What the log does not tell of has an index of its own: the decision of each label would else change a page more.
_UNISSUED = "SELECT uri FROM decision WHERE (outcome IS NULL OR outcome <> 'issued') AND uri >= ? AND uri < ?"


def purge(session: Session, deleted: Collection[tuple[str, int]]) -> None:
    """Forget the words of deleted posts: hash, kinds and weights of what was found, and all that was decided stay.

    deleted: uri, and the last decision before the deletion. (A post may be written again.)
    """
    rows = session.matching(
        f"SELECT decision.id, evidence FROM {tails.wanted('decision')} AND decision.id <= wanted.id",
        {**tails.COLUMNS, "id": "BIGINT"},
        [(*tails.key(uri), last_id) for uri, last_id in deleted],
    )
    _purge(session, rows)


def forget_words(session: Session, after: int, before: int, limit: int) -> int | None:
    """Forget the words of what no label came of (shadow, undecided, rejected, superseded) and was decided before a time (µs).

    Looks at `limit` decisions from the id `after` on; the last one's id, None when there was none so old.
    """
    sql = "SELECT id, evidence, decided_at, action, outcome, body FROM decision WHERE id > ? ORDER BY id LIMIT ?"
    old = list(takewhile(lambda row: row[2] < before, session.execute(sql, (after, limit))))
    _purge(session, [row[:2] for row in old if row[5] and (row[3] == "none" or row[4]) and row[4] not in ("issued", "confirmed")])
    return old[-1][0] if old else None


def _purge(session: Session, rows: Iterable[Row]) -> None:
    without = [(_encode(_without_words(msgspec.json.decode(evidence))).decode(), id) for id, evidence in rows]
    session.executemany("UPDATE decision SET body = NULL, evidence = ? WHERE id = ?", without)


def bar(session: Session, val: str, text_hash: str, decision_id: int) -> None:
    """The machine never gives this text this label again."""
    session.execute(
        "INSERT INTO label_bar (val, text_hash, decision_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (val, text_hash, decision_id)
    )


def unbar(session: Session, decision_id: int) -> None:
    """The decision that barred a text was taken back."""
    session.execute("DELETE FROM label_bar WHERE decision_id = ?", (decision_id,))


def barred(session: Session, texts: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those (val, text_hash) that are barred."""
    rows = session.matching(
        "SELECT label_bar.val, label_bar.text_hash FROM wanted JOIN label_bar ON label_bar.val = wanted.val"
        " AND label_bar.text_hash = wanted.text_hash",
        {"val": "TEXT", "text_hash": "TEXT"},
        texts,
    )
    return {(row[0], row[1]) for row in rows}


def _without_words(evidence: dict[str, Any]) -> dict[str, Any]:
    findings: Sequence[dict[str, Any]] = evidence.get("findings", ())
    return evidence | ({"findings": [_without_text(finding) for finding in findings]} if findings else {})


def _without_text(finding: dict[str, Any]) -> dict[str, Any]:
    """Of a claim that was found, all stays but the words that the post has in common with it."""
    details = {"details": {**finding["details"], "shared": []}} if "details" in finding else {}
    return {**finding, "text": "", **details}


def _all(session: Session, which: str, values: Sequence[Any]) -> list[Decision]:
    return [_decision(row) for row in session.execute(f"SELECT {_COLUMNS} FROM decision {which}", values)]


def _decision(row: Row) -> Decision:
    return Decision(*row)._replace(evidence=msgspec.json.decode(row[6]))
