"""`plainsky moderators add|list|remove`: who may decide, by name."""

import re
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from models import moderators
from models.database import Database
from models.protocol.syntax import format_datetime
from plainsky.config.loading import load
from plainsky.errors import OperatorError
from plainsky.opening import opened


def add_arguments(parser: ArgumentParser) -> None:
    """One subcommand each."""
    commands = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    for name, help, do in (
        ("add", "let somebody decide, or change how far", _add),
        ("list", "who may decide", _list),
        ("remove", "let somebody decide no more", _remove),
    ):
        sub = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        sub.add_argument("--config", metavar="FILE", type=Path, default=Path("config.toml"), help="default: %(default)s")
        sub.set_defaults(do=do)
        if name != "list":
            sub.add_argument("name", metavar="NAME", help="how colleagues know this person; never told in public")
        if name == "add":
            sub.add_argument(
                "--role", choices=("moderator", "lead"), default="moderator", help="a lead decides on appeals, too (default: %(default)s)"
            )


def run(arguments: Namespace) -> int:
    """Do it; OperatorError says what is wrong with the input."""
    with opened(load(arguments.config)) as database:
        return int(arguments.do(database, arguments))


def _add(database: Database, arguments: Namespace) -> int:
    name = arguments.name
    if not re.fullmatch(r"[^\W_][\w.-]{0,63}", name):
        raise OperatorError(f"{name!r}: expected a short name, of letters, digits, '.', '_' and '-'")
    alike = [one.name for one in database.read_now(moderators.known) if one.name != name and moderators.is_same(one.name, name)]
    if alike:
        raise OperatorError(f"{name} could not be told from {alike[0]}: choose another name")
    changed = database.write_now(moderators.add, name, arguments.role, _now())
    sys.stdout.write(f"{name} is {'now' if changed else 'already'} a {arguments.role}.\n")
    return 0


def _list(database: Database, _arguments: Namespace) -> int:
    known = database.read_now(moderators.known)
    for one in known:
        sys.stdout.write(f"{one.name}  {one.rank}  since {format_datetime(one.added_at)[:10]}\n")
    if not known:
        sys.stdout.write("Nobody yet: plainsky moderators add NAME\n")
    return 0


def _remove(database: Database, arguments: Namespace) -> int:
    if not database.write_now(moderators.remove, arguments.name, _now()):
        raise OperatorError(f"there is no moderator {arguments.name}: `plainsky moderators list` names them")
    sys.stdout.write(f"{arguments.name} decides no more; what was decided stays.\n")
    return 0


def _now() -> int:
    return int(time.time() * 1e6)
