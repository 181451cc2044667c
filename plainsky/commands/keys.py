"""`plainsky keys new|show|rotate`: the labeler's signing key, made, shown (its public half) and replaced."""

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from labeler import keys
from labeler.keys import did_key, public_key_multibase
from models.protocol.syntax import format_datetime
from plainsky.config.loading import load
from plainsky.config.signing import signing_key
from plainsky.errors import OperatorError

FROM_ENVIRONMENT = (
    "The key comes from the environment (PLAINSKY_LABELER_KEY), where this command cannot put another one. Make one in a file"
    " (plainsky keys new --key-file FILE), and put its content there."
)
AFTER_NEW = """\
Next, if it is not done yet: plainsky publish labeler
Keep a copy in a safe place: without it only the owner of the DID document can bring the labeler back."""
AFTER_ROTATE = """\
What follows, in this order:
  1. Stop the service, if it runs: it still signs with the key before.
  2. plainsky publish labeler --stopped
     It puts the new key into the DID document, in the place of the old one.
  3. Start the service. Labels that it issued before are signed anew as they are asked for; their times stay.
  4. plainsky publish labeler --check
  5. When all is well, delete {backup}. It is needed no more, and whoever has it can sign as you did."""


def add_arguments(parser: ArgumentParser) -> None:
    """What to do, and with which file."""
    kinds = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    for name, about, do in (
        ("new", "make a signing key where there is none", _new),
        ("show", "show the public half, as DID documents name it, and the keys before", _show),
        ("rotate", "make a new signing key, keep the one before in a file beside it, and say what follows", _rotate),
    ):
        sub = kinds.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        sub.add_argument(
            "file", metavar="FILE", nargs="?", type=Path, default=Path("config.toml"), help="the config (default: config.toml)"
        )
        sub.add_argument("--key-file", metavar="PATH", type=Path, help="the key's file, in the place of the one that the config names")
        if name == "new":
            sub.add_argument("--force", action="store_true", help="also where there is a key: that one is kept beside it, as in rotate")
        sub.set_defaults(do=do)


def run(arguments: Namespace) -> int:
    """The chosen kind. OperatorError when a file does not allow it."""
    try:
        sys.stdout.write("\n".join([*arguments.do(arguments), ""]))
    except keys.KeyFileError as error:
        raise OperatorError(str(error)) from None
    return 0


def _new(arguments: Namespace) -> list[str]:
    path = _path(arguments)
    if arguments.force and path.exists():
        return _rotate(arguments)
    key = keys.create(path)
    return [f"Made a signing key: {path}", *_public(did_key(key.public_key), public_key_multibase(key.public_key)), AFTER_NEW]


def _show(arguments: Namespace) -> list[str]:
    if arguments.key_file:
        key, where = keys.load(arguments.key_file), str(arguments.key_file)
    else:
        config = load(arguments.file)
        if config.labeler is None:
            raise OperatorError(f"{arguments.file} has no [labeler], so there is no key to show")
        key, where = signing_key(config), "the environment" if config.labeler.key else str(config.labeler.key_file)
    before = [] if where == "the environment" else keys.retired(Path(where))
    return [
        f"The signing key in {where}:",
        *_public(did_key(key.public_key), public_key_multibase(key.public_key)),
        *(f"  until {old.until}: {did_key(old.key)}" for old in reversed(before)),
    ]


def _rotate(arguments: Namespace) -> list[str]:
    path = _path(arguments)
    key, backup = keys.renew(path, format_datetime(int(time.time() * 1e6)))
    return [
        f"Made a new signing key: {path}. The one before is kept in {backup}.",
        *_public(did_key(key.public_key), public_key_multibase(key.public_key)),
        AFTER_ROTATE.format(backup=backup),
    ]


def _path(arguments: Namespace) -> Path:
    if arguments.key_file:
        return Path(arguments.key_file)
    labeler = load(arguments.file).labeler
    if labeler is None:
        raise OperatorError(f"{arguments.file} has no [labeler]. Write that table, or name a file with --key-file")
    if labeler.key:
        raise OperatorError(FROM_ENVIRONMENT)
    return labeler.key_file


def _public(did: str, multibase: str) -> list[str]:
    return [f"  as a did:key, in a PLC operation:   {did}", f"  as multibase, in the DID document:  {multibase}"]
