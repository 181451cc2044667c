"""`plainsky review`: decide on what waits, in a terminal, by one key. `--sample` asks about posts without saying what the machine found.

As with `plainsky labels`, only decisions are written: the running service issues what follows from them.
"""

import getpass
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import SystemRandom
from typing import Any

import attrs

from labeler.claims.bank import Bank
from labeler.desk import Desk, Done, Item, appealed, queue
from labeler.gate import judged
from labeler.judge import Judge
from labeler.measured import measured
from labeler.persons import Refused
from labeler.sampling import answered, draw
from models import blind, moderators
from models.database import Database
from models.moderators import Moderator
from plainsky.asking.reach import takes_two
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError, count
from plainsky.keyboard import key, line, need_terminal
from plainsky.labeling import judge_of
from plainsky.labeling.banking import given_of
from plainsky.labeling.reviewing import Seen, known, lines, said, seen
from plainsky.opening import opened

REASONS = {
    ("candidate", "y"): "A moderator looked at it, and agrees with what was found.",
    ("candidate", "n"): "A moderator looked at it, and the label does not fit.",
    ("second", "y"): "A second moderator agrees.",
    ("second", "n"): "A second moderator does not agree.",
    ("report", "y"): "It was reported, and a moderator finds that the label fits.",
    ("report", "n"): "A moderator looked at it, and no label of ours fits.",
}
"""What the author may read when a moderator gives no reason of his own; an appeal always gets one."""
KEYS = {
    "candidate": "y label it, n do not",
    "second": "y agree, n do not",
    "report": "y label it, n no label fits",
    "appeal": "y the author is right: take our labels back (all, or some of them), n keep them",
}
MORE = "Y, N the same with a reason of your own; s skip, u undo the last, q quit"
ANSWERS: dict[str, blind.Given] = {"y": "yes", "n": "no", "d": "unsure"}


def add_arguments(parser: ArgumentParser) -> None:
    """Where, who, what."""
    parser.add_argument("config", metavar="CONFIG", type=Path, nargs="?", default=Path("config.toml"), help="default: %(default)s")
    parser.add_argument("--as", dest="who", metavar="NAME", help="who decides (default: who is logged in here)")
    parser.add_argument(
        "--sample",
        action="store_true",
        help="judge a random sample of what a label would cover, blind: others are among it",
    )
    parser.add_argument("--label", metavar="VALUE", help="with --sample: of which label (default: of all but those for tests)")
    parser.add_argument("--count", type=count, default=20, help="with --sample: how many questions (default: %(default)s)")


def run(arguments: Namespace) -> int:
    """Ask until nothing waits, or until "q"."""
    config = load(arguments.config)
    if config.labeler is None or not config.labels:
        raise OperatorError(f"{arguments.config} configures no labeler: [labeler] and [[labels]], see docs/labels.md")
    need_terminal()
    with opened(config) as database:
        who = _moderator(database, arguments.who or getpass.getuser())
        if arguments.sample:
            return _sample(config, database, who, _asked_about(config, arguments.label), arguments.count)
        return _Review(config, database, who).run()


def _asked_about(config: Config, label: str | None) -> Judge:
    """What finds the posts that the label would cover."""
    wanted = [policy for policy in config.labels if (policy.value == label if label else not policy.is_test)]
    if not wanted:
        values = ", ".join(policy.value for policy in config.labels)
        raise OperatorError(f"{label} is none of the labels: {values}" if label else f"there are only test labels: --label {values}")
    judge = judge_of(attrs.evolve(config, labels=tuple(wanted)), given_of(config, Bank()))
    assert judge
    return judge


def _moderator(database: Database, name: str) -> Moderator:
    found = database.read_now(moderators.by_name, name)
    if found is None:
        raise OperatorError(f"{name} is no moderator: plainsky moderators add {name}, or say who you are with --as NAME")
    return found


class _Review:
    def __init__(self, config: Config, database: Database, who: Moderator) -> None:
        assert config.labeler
        self._config, self._database, self._who = config, database, who
        self._above = config.labeler.two_people_above
        self._desk = Desk(config.labeler_did, config.labels)
        self._skipped: set[tuple[str, int]] = set()
        self._done: list[Done] = []

    def run(self) -> int:
        """Until nothing waits."""
        while item := self._next():
            sight = seen(self._config, self._database, item)
            _say(lines(self._config, item, sight, self._database.read_now(known, self._config, item, _now())))
            pressed = key(f"\n{KEYS[item.kind]}; {MORE}\n> ", "ynYNsuq")
            if pressed == "q":
                return 0
            self._answer(item, sight, pressed)
        _say(["", "Nothing waits." if not self._skipped else "Nothing else waits."])
        return 0

    def _next(self) -> Item | None:
        waiting = self._database.read_now(queue, self._who, _now(), 50 + len(self._skipped))
        return next((item for item in waiting if (item.kind, item.id) not in self._skipped), None)

    def _answer(self, item: Item, sight: Seen, pressed: str) -> None:
        try:
            if pressed == "s":
                self._skipped.add((item.kind, item.id))
            elif pressed == "u":
                self._undo()
            elif item.kind == "report" and pressed in "yY" and sight.gone:
                raise Refused("nobody sees it any more, so there is nothing to label")
            else:
                self._who = _moderator(self._database, self._who.name)  # who was removed, during a sitting, decides no more
                self._decide(item, sight, pressed)
        except Refused as refused:
            if pressed != "u":
                self._skipped.add((item.kind, item.id))
            _say([f"Not done: {refused}"])

    def _decide(self, item: Item, sight: Seen, pressed: str) -> None:
        answer = pressed.lower()
        val = self._value() if item.kind == "report" and answer == "y" else ""
        reason = REASONS.get((item.kind, answer), "") if pressed == answer else ""
        reason = reason or line("The reason, which the author may read: ")
        if val is None or not reason:
            _say(["Nothing was decided."])
            return
        if (done := self._act(item, answer, val, sight.cid or item.cid or None, reason)) is None:
            _say(["Nothing was decided."])
            return
        self._done.append(done)
        seconds = any(one.waits_for == "second" for one in done.decided)
        _say(["Decided; a second person must agree." if seconds else "Decided."])

    def _act(self, item: Item, answer: str, val: str, cid: str | None, reason: str) -> Done | None:
        desk, said = self._desk, (self._who, reason, _now())
        if item.kind == "report" and answer == "y":
            return self._write(desk.label, item, cid, val, *said, wide=self._wide(item.uri))
        if item.kind == "candidate" and answer == "y":
            return self._write(desk.confirm, item, *said, wide=self._wide(item.uri))
        if item.kind == "appeal" and answer == "y" and len(values := self._database.read_now(appealed, item)) > 1:
            return self._uphold_some(item, values, reason)
        does: dict[tuple[str, str], Callable[..., Done]] = {
            ("candidate", "n"): desk.refuse,
            ("second", "y"): desk.confirm,
            ("second", "n"): desk.refuse,
            ("report", "n"): desk.dismiss,
            ("appeal", "y"): desk.uphold,
            ("appeal", "n"): desk.keep,
        }
        return self._write(does[item.kind, answer], item, *said)

    def _uphold_some(self, item: Item, values: Sequence[str], reason: str) -> Done | None:
        """Label by label, where the appeal is against several."""
        wrong = [val for val in values if key(f'does "{val}" not fit? y take it back, n keep it > ', "yn") == "y"]
        kept = line("And why the others stay, which the author may read: ") if 0 < len(wrong) < len(values) else ""
        if not wrong or (len(wrong) < len(values) and not kept):
            return None
        return self._write(self._desk.uphold, item, self._who, reason, _now(), vals=wrong, kept=kept)

    def _write(self, what: Callable[..., Done], *args: Any, **options: Any) -> Done:
        return self._database.write_now(what, *args, **options)

    def _undo(self) -> None:
        if not self._done:
            _say(["There is nothing to undo."])
            return
        done = self._done.pop()
        self._database.write_now(self._desk.undo, done, self._who, "A moderator took the decision back.", _now())
        _say([f"Undone; it waits again: {done.item.uri}"])

    def _value(self) -> str | None:
        """Which label, by its number where there are several."""
        values = [policy.value for policy in self._config.labels]
        if len(values) == 1:
            return values[0]
        numbers = [str(number) for number in range(1, min(len(values), 9) + 1)]
        _say(f"  {number} {value}" for number, value in zip(numbers, values, strict=False))
        pressed = key("which label? (q none) > ", [*numbers, "q"])
        return None if pressed == "q" else values[int(pressed) - 1]

    def _wide(self, uri: str) -> bool:
        return takes_two(self._config.appview.url, uri, self._above, lambda line: _say([line]))


def _sample(config: Config, database: Database, who: Moderator, judge: Judge, count: int) -> int:
    """Questions without what would give the answer away: no address, labels, signals or history."""
    random = SystemRandom()
    for number in range(1, max(1, count) + 1):
        asked = database.read_now(draw, judge.rules, who.name, random)
        if asked is None:
            _say(["", "There is no post left to ask about."])
            break
        _say(["", "-" * 40, *said(Seen(asked.post))])
        pressed = key(f'\n{number} of {count}: does "{asked.val}" fit? y yes, n no, d I do not know, q quit > ', "yndq")
        if pressed == "q":
            break
        database.write_now(answered, asked, who.name, ANSWERS[pressed], _now())
    _say(_told(database.read_now(blind.tallies)))
    judge.gate.sample = database.read_now(judged)
    _say(one.reason for one in measured(judge))
    return 0


def _told(tallies: list[blind.Tally]) -> Iterable[str]:
    """What all blind answers say of the machine so far."""
    counts = Counter({(tally.val, tally.found, tally.answer): tally.posts for tally in tallies})
    for val, found in sorted({(tally.val, tally.found) for tally in tallies}, key=lambda each: (each[0], not each[1])):
        yes, no = counts[val, found, "yes"], counts[val, found, "no"]
        yield f"{val}, {'found by the machine' if found else 'not found'}: {yes} yes, {no} no, {counts[val, found, 'unsure']} not known"


def _say(told: Iterable[str]) -> None:
    for one in told:
        sys.stdout.write(one + "\n")
    sys.stdout.flush()


def _now() -> int:
    return int(time.time() * 1e6)
