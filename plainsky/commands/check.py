"""`plainsky check [FILE]`: every error of a config at once, or what it does in plain words."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from plainsky.config.describe import described
from plainsky.config.loading import load
from plainsky.config.schema import Config

DEFAULT = Path("config.toml")
EXAMPLE = Path("config.example.toml")


def add_arguments(parser: ArgumentParser) -> None:
    """The file."""
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="the config (default: config.toml, else config.example.toml)")


def run(arguments: Namespace) -> int:
    """Print what the config does; ConfigErrors when it is wrong."""
    file = arguments.file or (EXAMPLE if EXAMPLE.exists() and not DEFAULT.exists() else DEFAULT)
    config = load(file)
    sys.stdout.write("\n".join([described(config), "", *_not_there_yet(config), f"{file} has no errors.", ""]))
    return 0


def _not_there_yet(config: Config) -> Iterator[str]:
    """Files that the config names and `run` will need."""
    labeler, ingest = config.labeler, config.ingest
    if labeler and not labeler.key and not labeler.key_file.exists():
        yield f"Note: there is no {labeler.key_file} yet, which the labeler needs: `plainsky init --labeler` makes one."
    if ingest.source == "replay" and ingest.path and not ingest.path.exists():
        yield f"Note: there is no {ingest.path} to replay."
