"""`plainsky publish feeds|labeler [FILE]`: makes the config's feeds and labeler known, as records in an account's repo.

docs/publishing.md, docs/labeler.md.
"""

import asyncio
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.publishing import checks, comparing, labeler_command
from plainsky.publishing.feeds import Prepared, carry_out, password_in, prepare, prepare_removal
from plainsky.publishing.terminal import agreed, say
from plainsky.publishing.xrpc import Unable


def add_arguments(parser: ArgumentParser) -> None:
    """What is published, and how far to go."""
    kinds = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    about = "show what would change, check that the service answers from outside, ask, and then write the feeds' records"
    feeds = kinds.add_parser("feeds", help=about, description=about[0].upper() + about[1:] + ".")
    feeds.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("config.toml"), help="the config (default: config.toml)")
    feeds.add_argument("--dry-run", action="store_true", help="only show and check; needs no password")
    feeds.add_argument("--yes", action="store_true", help="do not ask")
    feeds.add_argument("--remove", metavar="RKEY", help="take this one feed out, and change nothing else")
    feeds.epilog = "The password is taken from PLAINSKY_PUBLISHER_PASSWORD, or from the file that PLAINSKY_PUBLISHER_PASSWORD_FILE names."
    feeds.set_defaults(publish=publish_feeds)
    about = (
        "show what would change, check from outside, ask, and then write the labeler's record and its DID document; or check any labeler"
    )
    labeler = kinds.add_parser("labeler", help=about, description=about[0].upper() + about[1:] + ".")
    labeler_command.add_arguments(labeler)
    labeler.set_defaults(publish=labeler_command.run)


def run(arguments: Namespace) -> int:
    """The chosen kind; 1 when it could not be done."""
    try:
        return int(arguments.publish(arguments))
    except Unable as error:
        sys.stderr.write(f"{error}\n")
        return 1


def publish_feeds(arguments: Namespace) -> int:
    """Show, check, ask, write."""
    config = load(arguments.file)
    prepared = asyncio.run(_prepare(config, arguments))
    say(*_told(prepared, config))
    if not prepared.good:
        say("", "Nothing was published: mend what FAILED first.")
        return 1
    if arguments.dry_run or not prepared.plan.to_do:
        say("", "Nothing to do." if not prepared.plan.to_do else "Nothing was published: this was a dry run.")
        return 0
    password = password_in(os.environ)
    if not (arguments.yes or agreed()):
        say("Nothing was published.")
        return 1
    say("")
    asyncio.run(carry_out(prepared, password, say))
    say(*_addresses(prepared))
    return 0


async def _prepare(config: Config, arguments: Namespace) -> Prepared:
    if arguments.remove is not None:
        return await prepare_removal(config, arguments.remove)
    return await prepare(config, str(arguments.file), int(time.time() * 1e6))


def _told(prepared: Prepared, config: Config) -> list[str]:
    lines = [
        f"Publisher   {prepared.repo.handle}, {prepared.repo.did}, on {prepared.repo.host}",
        f"Service     {config.service.did}",
        "",
        *comparing.told(prepared.plan),
    ]
    if prepared.unresolved:
        lines += ["", f"Note: {config.identity.resolver} knows no {' and no '.join(prepared.unresolved)}: plain text, without a link."]
    kept = {change.rkey for change in prepared.plan.to_do if change.kind == "delete"} & {feed.rkey for feed in config.feeds}
    lines += [f"Note: {rkey} is still in the config, so publishing again brings it back." for rkey in sorted(kept)]
    return [*lines, *(["", "Seen from outside:", *checks.told(prepared.checks)] if prepared.checks else [])]


def _addresses(prepared: Prepared) -> list[str]:
    there = [change.rkey for change in prepared.plan.to_do if change.record]
    return ["", *(f"https://bsky.app/profile/{prepared.repo.did}/feed/{rkey}" for rkey in there)] if there else []
