"""The command line: which subcommands there are, and how each ends.

A subcommand is a module of `plainsky.commands` with `add_arguments(parser)` and `run(arguments) -> exit code`. Only the one that is
called is imported. Exit codes: 0 done, 1 failed, 2 wrong input (the message says what to do), 130 interrupted.
"""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from plainsky import __version__
from plainsky.errors import NO_UTF8, OperatorError, is_utf8


class Command(NamedTuple):
    """One subcommand: its module in `plainsky.commands` has its name, with _ for -."""

    name: str
    help: str


COMMANDS = (
    Command("init", "write a first config.toml, by asking a few questions"),
    Command("check", "check a config and say in plain words what it does"),
    Command("run", "read the network, serve feeds, labels and pages"),
    Command("reload", "let the running service take its changed config into use"),
    Command("backtest", "compare what two configs put into the feeds, over posts that were"),
    Command("explain", "what every feed and every signal says of one post"),
    Command("feeds", "show a feed in the terminal as readers see it"),
    Command("publish", "make the config's feeds and labeler known in the app, under an account of yours"),
    Command("keys", "the labeler's signing key: new, show, rotate"),
    Command("labels", "put labels on posts and accounts, take them back, see what waits and why"),
    Command("review", "decide on candidates, reports and appeals, by one key each"),
    Command("moderators", "who may decide: add, list, remove"),
    Command("claims", "keep the bank of claims that fact-checkers rated: import, list, add, retire, stats"),
    Command("recompute", "check by plain arithmetic that a decision of the labeler follows from its numbers"),
    Command("train-topic", "make a topic model for rules and orders from example posts"),
    Command("train", "train a model of the labeler from a folder of data"),
    Command("evaluate", "measure a model of the labeler on a folder of data"),
    Command("models", "show what the model files say, compare two, write the model card"),
    Command("record", "write what the network sends into a recording, to play it again"),
    Command("verify", "rebuild a feed from a recording, and print the bytes that the service served"),
    Command("verify-log", "check that nobody altered the log of changes"),
    Command("demo", "run everything on live or sample posts, to look around; nothing is published"),
)

ABOUT = "Bluesky feeds that never rank by engagement, and a labeler that can explain itself."
FIRST_STEPS = "First steps: `plainsky init` writes a config, `plainsky check` explains it. Help on a command: `plainsky COMMAND --help`."


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line (without the program's name) and return the exit code."""
    try:
        arguments = _arguments(_readable(list(sys.argv[1:] if words is None else words)) or ["--help"])
        code = int(arguments.run(arguments))
        sys.stdout.flush()  # here, where it may fail, and not when Python ends
        return code
    except OperatorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `plainsky check | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try once more at its end, and complain
        return 1


def _readable(words: list[str]) -> list[str]:
    """What is typed in another encoding could be kept nowhere."""
    for word in words:
        if not is_utf8(word):
            raise OperatorError(f"{word!a}: {NO_UTF8}")
    return words


def _arguments(words: list[str]) -> Any:
    called = next((word for word in words if not word.startswith("-")), None)
    if called == "run":  # it has not read its config yet, so there is nothing to reload; by default SIGHUP would end it
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    parser = argparse.ArgumentParser("plainsky", description=ABOUT, epilog=FIRST_STEPS)
    parser.add_argument("--version", action="version", version=f"plainsky {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help, description=command.help[0].upper() + command.help[1:] + ".")
        if command.name == called:
            module = _imported(f"plainsky.commands.{command.name.replace('-', '_')}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    if called is not None and called not in [command.name for command in COMMANDS]:
        parser.error(_unknown(called))
    return parser.parse_args(words)


def _imported(name: str) -> ModuleType:
    """A subcommand's module. What is imported stays: to go through it for garbage, meanwhile and at the end, is a fifth of a command."""
    if (already := sys.modules.get(name)) is not None:
        return already
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def _unknown(called: str) -> str:
    from plainsky.config.errors import nearest

    names = [command.name for command in COMMANDS]
    guess = nearest(called, names)
    hint = f"did you mean '{guess}'?" if guess else f"there are: {', '.join(names)}"
    return f"no such command '{called}', {hint}"
