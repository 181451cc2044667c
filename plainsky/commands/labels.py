"""`plainsky labels issue|negate|negate-all|confirm|reject|resume|list|log`: what a person decides and looks up, on the config's database.

A command only writes decisions: the running service, which holds the key and is the only one that signs, issues them within a second. So
nothing here needs the key, and it makes no difference whether the service runs on SQLite or PostgreSQL, on this machine or another one.
"""

import getpass
import sys
import time
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from labeler.persons import By, Persons, Refused
from models import decisions, label_rates, labels, posts
from models.database import Database, Session
from models.decisions import Decision
from models.duration import duration
from models.protocol.syntax import did_of, format_datetime, is_did, parse_at_uri, parse_datetime
from plainsky.asking.reach import takes_two
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError, count
from plainsky.opening import opened

WAIT_SECONDS = 3.0
"""How long a command waits until the service has issued what it decided."""
STEP = 500


def add_arguments(parser: ArgumentParser) -> None:
    """One subcommand each."""
    commands = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    issue = _deciding(commands, "issue", "put a label on a post or an account", _issue)
    _subject(issue)
    issue.add_argument("--all-versions", action="store_true", help="label every version of the record, not only the present one")
    issue.add_argument("--expires", metavar="LENGTH", help='the label ends then and is not renewed, like "7d"')
    negate = _deciding(commands, "negate", "take a label back", _negate)
    _subject(negate)
    negate.add_argument("--again", action="store_true", help="the machine may give the same text this label again")
    everything = _deciding(commands, "negate-all", "take back all labels of one value, or all there are", _negate_all)
    everything.add_argument("value", metavar="VALUE", nargs="?", help="default: every value")
    for name, help, do in (("confirm", "say yes to a decision that waits", _confirm), ("reject", "say no to one", _reject)):
        _deciding(commands, name, help, do).add_argument("id", metavar="ID", type=count, help="of the decision")
    resume = _deciding(commands, "resume", "let the machine give a label again whose breaker has tripped", _resume)
    resume.add_argument("value", metavar="VALUE")
    listing = _command(commands, "list", "the labels that stand", _list)
    listing.add_argument("value", metavar="VALUE", nargs="?", help="only this value")
    listing.add_argument("--limit", type=count, default=50, help="default: %(default)s")
    log = _command(commands, "log", "what was decided of a post or an account and what was issued; without a uri, what waits", _log)
    log.add_argument("uri", metavar="URI", nargs="?", help="an at-uri or a DID")
    log.add_argument("--limit", type=count, default=50, help="default: %(default)s")


def run(arguments: Namespace) -> int:
    """Do it; OperatorError says what is wrong with the input."""
    config = load(arguments.config)
    if config.labeler is None:
        raise OperatorError(f"{arguments.config} configures no labeler: [labeler] and [[labels]], see docs/labels.md")
    try:
        with opened(config) as database:
            return int(arguments.do(_Desk(config, database, arguments), arguments))
    except Refused as refused:
        raise OperatorError(str(refused)) from None


def _command(
    commands: "_SubParsersAction[ArgumentParser]", name: str, help: str, do: "Callable[[_Desk, Namespace], int]"
) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.add_argument("--config", metavar="FILE", type=Path, default=Path("config.toml"), help="default: %(default)s")
    parser.set_defaults(do=do)
    return parser


def _deciding(
    commands: "_SubParsersAction[ArgumentParser]", name: str, help: str, do: "Callable[[_Desk, Namespace], int]"
) -> ArgumentParser:
    parser = _command(commands, name, help, do)
    parser.add_argument("--reason", required=True, help="why, in words that the labelled author may read")
    parser.add_argument("--as", dest="who", metavar="NAME", default=None, help="who decides (default: who is logged in here)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _subject(parser: ArgumentParser) -> None:
    parser.add_argument("uri", metavar="URI", help="a record's at-uri, or a DID for an account")
    parser.add_argument("value", metavar="VALUE", help="the label")
    parser.add_argument("--cid", help="the version of the record")


class _Desk:
    """What every subcommand needs."""

    def __init__(self, config: Config, database: Database, arguments: Namespace) -> None:
        assert config.labeler
        self.config, self.database = config, database
        self.above = config.labeler.two_people_above
        self.persons = Persons(config.labeler_did, config.labels)
        self._arguments = arguments

    def by(self) -> By:
        """Who decides."""
        return By("operator", self._arguments.reason, self._arguments.who or getpass.getuser())

    def ask(self, what: str) -> None:
        """Let the operator think again."""
        if self._arguments.yes:
            return
        if not sys.stdin.isatty():
            raise OperatorError(f"{what} Say --yes where nobody can be asked")
        sys.stderr.write(f"{what} Write yes to go on: ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("yes", "y"):
            raise OperatorError("nothing was done")

    def wide(self, uri: str) -> bool:
        """The author's reach asks for two people."""
        return is_did(did_of(uri)) and takes_two(self.config.appview.url, uri, self.above, _say)

    def told(self, decided: Sequence[Decision]) -> int:
        """Say what came of decisions."""
        seconds = [one for one in decided if one.waits_for == "second"]
        for one in seconds:
            _say(f"Decision {one.id} waits for a second person: plainsky labels confirm {one.id} --reason ... --as ANOTHER")
        waiting = [one.id for one in decided if one.waits_for and one.waits_for != "second"]
        left = self._issued(waiting)
        if waiting:
            _say(f"{len(waiting) - left} issued." if not left else f"{left} of {len(waiting)} wait: for the service to run, or for room.")
        return 0

    def _issued(self, ids: Sequence[int]) -> int:
        end = time.monotonic() + WAIT_SECONDS
        left = len(ids)
        while ids and (left := self.database.read_now(_unissued, ids)) and time.monotonic() < end:
            time.sleep(0.1)
        return left


def _issue(desk: _Desk, arguments: Namespace) -> int:
    cid = arguments.cid or (None if arguments.all_versions or is_did(arguments.uri) else _present_cid(desk.database, arguments.uri))
    life = _length(arguments.expires) if arguments.expires else None
    by, wide = desk.by(), desk.wide(arguments.uri)
    desk.ask(f'This puts "{arguments.value}" on {arguments.uri}, for everybody who subscribes to the labeler.')
    decided = desk.database.write_now(desk.persons.label, arguments.uri, cid, arguments.value, by, _now(), wide=wide, life=life)
    return desk.told([decided])


def _negate(desk: _Desk, arguments: Namespace) -> int:
    desk.ask(f'This takes "{arguments.value}" back from {arguments.uri}.')
    decided = desk.database.write_now(
        desk.persons.negate, arguments.uri, arguments.cid, arguments.value, desk.by(), _now(), bar=not arguments.again
    )
    return desk.told(decided)


def _negate_all(desk: _Desk, arguments: Namespace) -> int:
    what = f'every label "{arguments.value}"' if arguments.value else "every label there is"
    desk.ask(f"This takes back {what}.")
    total, after = 0, 0
    following: int | None = 0
    while following is not None:
        count, following = desk.database.write_now(desk.persons.negate_all, arguments.value, desk.by(), _now(), after=after, limit=STEP)
        total, after = total + count, following or 0
    _say(f"{total} taken back; the service issues the negations as fast as the network takes them.")
    return 0


def _confirm(desk: _Desk, arguments: Namespace) -> int:
    asked = _decision(desk.database, arguments.id)
    wide = asked.waits_for == "person" and desk.wide(asked.uri)
    desk.ask(f'This puts "{asked.val}" on {asked.uri}.')
    decided = desk.database.write_now(desk.persons.confirm, asked.id, desk.by(), _now(), wide=wide)
    return desk.told([_decision(desk.database, asked.id) if decided.action == "none" else decided])


def _reject(desk: _Desk, arguments: Namespace) -> int:
    asked = _decision(desk.database, arguments.id)
    desk.ask(f'This refuses "{asked.val}" on {asked.uri}.')
    desk.database.write_now(desk.persons.reject, asked.id, desk.by(), _now())
    _say("Refused.")
    return 0


def _resume(desk: _Desk, arguments: Namespace) -> int:
    desk.ask(f'This lets the machine give "{arguments.value}" again; what was held back still waits for a person.')
    if not desk.database.write_now(label_rates.resume, arguments.value, _now() // label_rates.HOUR):
        raise OperatorError(f'the breaker of "{arguments.value}" has not tripped')
    _say("Resumed.")
    return 0


def _list(desk: _Desk, arguments: Namespace) -> int:
    now = format_datetime(_now())
    found = desk.database.read_now(labels.in_force, desk.config.labeler_did, arguments.value, now, 0, arguments.limit)
    for row in found:
        label = row.label
        _say(f"{row.seq:>8}  {label.val}  {label.uri}  {label.cid or 'all versions'}  since {label.cts}, until {label.exp or 'negated'}")
    _say(f"{len(found)} labels." if len(found) < arguments.limit else f"The first {len(found)} labels; --limit shows more.")
    return 0


def _log(desk: _Desk, arguments: Namespace) -> int:
    if arguments.uri is None:
        return _waiting(desk, arguments.limit)
    decided = desk.database.read_now(decisions.of_uri, arguments.uri)
    issued = desk.database.read_now(labels.history, desk.config.labeler_did, [arguments.uri])
    lines = [(decision.decided_at, 0, _shown(decision)) for decision in decided]
    lines += [
        (parse_datetime(told.cts) or 0, 1, f"{told.cts}  seq {told.seq}: {'negation of ' if told.neg else ''}{told.val} {told.cid}")
        for told in issued
    ]
    _lines(line for *_, line in sorted(lines)[-arguments.limit :])
    return 0


def _waiting(desk: _Desk, limit: int) -> int:
    found = [decision for what in ("person", "second", "negating", "labelling") for decision in _of(desk.database, what, limit)]
    _lines(map(_shown, found))
    for tripped in desk.database.read_now(label_rates.tripped).values():
        _say(f'The breaker of "{tripped.val}" tripped at {format_datetime(tripped.tripped_at)}: {tripped.why}.')
    return 0


def _of(database: Database, what: decisions.WaitsFor, limit: int) -> list[Decision]:
    return database.read_now(decisions.waiting, what, limit=limit)


def _shown(decision: Decision) -> str:
    state = f"waits for {_WAITS[decision.waits_for]}" if decision.waits_for else decision.outcome or "recorded"
    about = f" on {decision.about_id}" if decision.about_id else ""
    words = f": {decision.reason}" if decision.reason else ""
    what = f"{decision.action} {decision.val} {decision.uri} {decision.cid}".rstrip()
    who = f"decision {decision.id}{about} by {decision.role} ({decision.mode})"
    return f"{format_datetime(decision.decided_at)}  {who}: {what}, {state}{words}"


_WAITS = {"person": "a person", "second": "a second person", "labelling": "room", "negating": "room"}


def _decision(database: Database, decision_id: int) -> Decision:
    found = database.read_now(decisions.by_id, decision_id)
    if found is None:
        raise OperatorError(f"there is no decision {decision_id}: `plainsky labels log` shows those that wait")
    return found


def _unissued(session: Session, ids: Sequence[int]) -> int:
    return sum(decision is not None and decision.waits_for is not None for decision in (decisions.by_id(session, id) for id in ids))


def _present_cid(database: Database, uri: str) -> str:
    parsed = parse_at_uri(uri)
    found = database.read_now(posts.by_uri, parsed.authority, parsed.rkey) if parsed and parsed.rkey else None
    if not found:
        raise OperatorError(f"{uri} is not stored here, so its present version is not known: give --cid CID, or --all-versions")
    return found[1]


def _length(text: str) -> int:
    try:
        return duration(text)
    except ValueError as error:
        raise OperatorError(f"--expires: {error}") from None


def _now() -> int:
    return int(time.time() * 1e6)


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
