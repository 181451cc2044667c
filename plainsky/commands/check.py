"""`plainsky check [FILE]`: every error of a config at once, or what it does in plain words."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from feedgen.feed import Feed
from feedgen.rules.language import Language
from labeler.definitions import locales_of, untold
from plainsky.config.describe import described
from plainsky.config.loading import load
from plainsky.config.schema import Config, is_local
from plainsky.errors import OperatorError

DEFAULT = Path("config.toml")
EXAMPLE = Path("config.example.toml")


def add_arguments(parser: ArgumentParser) -> None:
    """The file."""
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="the config (default: config.toml, else config.example.toml)")


def run(arguments: Namespace) -> int:
    """Print what the config does; ConfigErrors when it is wrong."""
    file = arguments.file or (EXAMPLE if EXAMPLE.exists() and not DEFAULT.exists() else DEFAULT)
    config = load(file)
    sys.stdout.write(
        "\n".join(
            [
                described(config),
                "",
                *_not_there_yet(config),
                *_by_default(config),
                *_untold(config),
                *_gated(config),
                f"{file} has no errors.",
                "",
            ]
        )
    )
    return 0


def _not_there_yet(config: Config) -> Iterator[str]:
    """Files that the config names and `run` will need."""
    labeler, ingest = config.labeler, config.ingest
    if labeler and not labeler.key and not labeler.key_file.exists():
        yield f"Note: there is no {labeler.key_file} yet, which the labeler needs: `plainsky keys new` makes one."
    elif labeler:
        yield from _bad_key(config)
    if ingest.source == "replay" and ingest.path and not ingest.path.exists():
        yield f"Note: there is no {ingest.path} to replay."


def _bad_key(config: Config) -> Iterator[str]:
    """Why `run` would not take the key: perhaps only for whoever runs this."""
    from plainsky.config.signing import signing_key  # only a labeler needs the libraries

    try:
        signing_key(config)
    except OperatorError as error:
        yield f"Note: `plainsky run` would refuse the signing key. {error}"


def _by_default(config: Config) -> Iterator[str]:
    """What holds, and may not be what was meant."""
    service = config.service
    name, _, port = service.hostname.partition(":")
    if is_local(name) and port and int(port) != service.port:
        yield f'Note: the hostname "{service.hostname}" has another port than the one that is listened on, {service.port}.'
    if config.labeler and not is_local(name) and config.labeler_did == service.web_did:
        yield f"Note: {config.labeler_did} has no account, so apps find no labeler there: [labeler] did names one (docs/labeler.md)."
    for feed in config.feeds:
        if feed.edition and feed.edition.timezone == "UTC":
            yield f'Note: the feed "{feed.name}" changes by UTC. For a place\'s clock, write timezone = "Europe/Brussels" in its edition.'


def _untold(config: Config) -> Iterator[str]:
    """Labels that readers of a feed will not understand."""
    languages = [language for feed in config.feeds for language in _languages(feed)]
    for policy in config.labels:
        locales = locales_of(policy.value, policy)
        if missing := untold(locales, languages):
            feeds = "a feed is" if len(config.feeds) == 1 else "feeds are"
            yield (
                f'Note: the label "{policy.value}" has no text in {" or ".join(missing)}, which {feeds} for: those readers get the one in'
                f" {locales[0].lang}. Write [[labels.locales]] tables."
            )


def _gated(config: Config) -> Iterator[str]:
    """Labels that the machine may not give alone yet, or not for ever."""
    for policy in config.labels:
        if policy.is_gated:
            yield (
                f'Note: the label "{policy.value}" is in mode "auto" only where its promise is kept, elsewhere in mode "review":'
                f" `plainsky review --sample --label {policy.value}` judges it, and /labels tells how it stands."
            )


def _languages(feed: Feed) -> Iterator[str]:
    for rule in (*feed.include, *feed.require):
        if isinstance(rule, Language):
            yield from rule.any
