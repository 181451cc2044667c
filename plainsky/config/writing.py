"""The text of a first config, from a few answers. What is left out keeps its default; config.example.toml shows all there is."""

import json
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from plainsky.config.schema import is_local

TEMPLATE = """\
# Written by `plainsky init`. `plainsky check` says in plain words what this file does.
# Everything that may stand here is in config.example.toml, with its default.

[service]
hostname = {hostname}
{port}
[ingest]
source = {source}

[[feeds]]
rkey = {rkey}
name = {topic}
description = {description}
order = "newest"                         # never by likes
window = "3d"                            # the feed ends here: you are caught up
per_author = {{ posts = 3, every = "6h" }}

[[feeds.include]]                        # a post enters when it matches any include,
kind = "hashtag"
any = {hashtags}
"""

LANGUAGES = """
[[feeds.require]]                        # and every require.
kind = "language"
any = {languages}
"""

LABELER = """
[labeler]
key_file = {key_file}                # the signing key: keep it, and keep it to yourself

[[labels]]                               # put on posts with Plainsky's test string, to see the whole chain work
value = "plainsky-test"
signals = ["gtube"]
mode = "auto"
"""


@frozen
class Answers:
    """What a first config is made of; the loader judges whether it is right."""

    hostname: str
    topic: str
    hashtags: tuple[str, ...]
    languages: tuple[str, ...] = ()
    source: str = "jetstream"
    key_file: Path | None = None
    """None: no labeler."""


def first_config(answers: Answers) -> str:
    """TOML."""
    tags = ", ".join(f"#{tag}" for tag in answers.hashtags)
    text = TEMPLATE.format(
        hostname=_quoted(answers.hostname),
        port=_port(answers.hostname),
        source=_quoted(answers.source),
        rkey=_quoted(record_key(answers.topic)),
        topic=_quoted(answers.topic),
        description=_quoted(f"Posts with {tags}, newest first. No ranking by likes."),
        hashtags=_list(answers.hashtags),
    )
    if answers.languages:
        text += LANGUAGES.format(languages=_list(answers.languages))
    if answers.key_file:
        text += LABELER.format(key_file=_quoted(str(answers.key_file)))
    return text


def _port(hostname: str) -> str:
    """The line with the port that a local host name has, if it is not the default."""
    name, _, port = hostname.partition(":")
    return f"port = {port}\n" if is_local(name) and port.isdecimal() and port != "3000" else ""


def record_key(topic: str) -> str:
    """A feed's rkey from its name: "Solidarité à Gand" is "solidarite-a-gand", and "feed" where no Latin letter is left."""
    letters = unicodedata.normalize("NFKD", topic).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-") or "feed"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML's strings are JSON's, but for this one


def _list(words: Iterable[str]) -> str:
    return "[" + ", ".join(map(_quoted, words)) + "]"
