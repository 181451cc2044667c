"""`plainsky publish labeler [FILE]`: makes the config's labeler known, or checks any labeler from outside (docs/labeler.md)."""

import asyncio
import os
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from labeler import keys
from models.protocol.k256 import PrivateKey
from plainsky.config.loading import load
from plainsky.config.schema import AppView, Config, Identity
from plainsky.errors import OperatorError
from plainsky.publishing import checks, labeler
from plainsky.publishing.anywhere import Network, check_anywhere
from plainsky.publishing.documents import require_rotation_key
from plainsky.publishing.feeds import password_in
from plainsky.publishing.labeler import PASSWORD, Prepared, carry_out, prepare
from plainsky.publishing.repo import NeedsCode, Repo
from plainsky.publishing.terminal import agreed, code_from_mail, say

DEFAULT = Path("config.toml")
OURS = ""
"""--check without a name: the labeler of the config."""

AGAIN = "Run this again with --token CODE."
AGAIN_LATER = (
    "Apps and AppViews keep DID documents for up to a day. Start or restart the service, so that it signs with this key, and then:"
    " plainsky publish labeler --check"
)


def add_arguments(parser: ArgumentParser) -> None:
    """What to do, and how far to go."""
    parser.epilog = (
        "The account's password is taken from PLAINSKY_LABELER_PASSWORD, or from the file that PLAINSKY_LABELER_PASSWORD_FILE names. An app"
        " password is enough for the record; the DID document asks for the account's own."
    )
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="the config (default: config.toml)")
    parser.add_argument("--dry-run", action="store_true", help="only show and check; needs no password")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--check",
        metavar="HOST|DID",
        nargs="?",
        const=OURS,
        help="change nothing: look at a labeler from outside, as the network sees it (without a name: at the config's)",
    )
    parser.add_argument("--token", metavar="CODE", help="the code from the mail in which the PDS asks whether the DID document may change")
    parser.add_argument(
        "--rotation-key", metavar="FILE", type=Path, help="sign the change of the DID document with this key, not at the PDS"
    )
    parser.add_argument("--stopped", action="store_true", help="the service stands still, so do not look at it (after keys rotate)")


def run(arguments: Namespace) -> int:
    """Check, or show, check, ask and write; Unable when it cannot be done."""
    if arguments.check is not None:
        return _check(arguments)
    config = load(arguments.file or DEFAULT)
    prepared = asyncio.run(prepare(config, int(time.time() * 1e6), arguments.stopped))
    say(*labeler.told(prepared))
    say(*(["", "Seen from outside:", *checks.told(prepared.checks)] if prepared.checks else []))
    if not prepared.good:
        say("", "Nothing was published: mend what FAILED first.")
        return 1
    if not (prepared.changes_document or prepared.changes_record):
        say("", "Nothing to do.")
        return 0
    if arguments.dry_run:
        say("", "Nothing was published: this was a dry run.")
        return 0
    return _publish(prepared, arguments)


def _publish(prepared: Prepared, arguments: Namespace) -> int:
    rotation_key = _rotation_key(prepared, arguments)
    needs_password = prepared.changes_record or rotation_key is None
    password = password_in(os.environ, PASSWORD) if needs_password else ""
    if not (arguments.yes or agreed()):
        say("Nothing was published.")
        return 1
    say("")

    async def login(repo: Repo) -> None:
        try:
            await repo.login(password)
        except NeedsCode as error:
            await repo.login(password, code_from_mail("A code to log in with was mailed to the account's address.", str(error)))

    async def ask() -> str:
        return code_from_mail("A code was mailed to the account's address, to allow the change of its DID document.", AGAIN)

    asyncio.run(carry_out(prepared, login, rotation_key, arguments.token, ask, say))
    say("", f"https://bsky.app/profile/{prepared.repo.did}", *([AGAIN_LATER] if prepared.changes_document else []))
    return 0


def _rotation_key(prepared: Prepared, arguments: Namespace) -> PrivateKey | None:
    if arguments.rotation_key is None or not (prepared.document and prepared.changes_document):
        return None
    try:
        key = keys.load(arguments.rotation_key)
    except keys.KeyFileError as error:
        raise OperatorError(f"--rotation-key: {error}") from None
    require_rotation_key(prepared.document, key)
    return key


def _check(arguments: Namespace) -> int:
    config = _config(arguments)
    target = arguments.check
    if target == OURS:
        assert config
        target = config.labeler_did
    identity, appview = (config.identity, config.appview) if config else (Identity(), AppView())
    network = Network(identity.plc, identity.resolver, appview.url, config.service.port if config else 3000)
    found = asyncio.run(check_anywhere(target, network))
    say(*checks.told(found))
    failed = sum(check.mend is not None for check in found)
    say("", f"{failed} of {len(found)} checks FAILED." if failed else f"All {len(found)} checks are passed.")
    return 1 if failed else 0


def _config(arguments: Namespace) -> Config | None:
    """The config, which a look at another's labeler does not need."""
    if arguments.file is None and arguments.check != OURS and not DEFAULT.exists():
        return None
    return load(arguments.file or DEFAULT)
