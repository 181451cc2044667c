"""`plainsky init`: a first config from at most five answers, and the labeler's key. What is there already is never overwritten."""

import re
import sys
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from pathlib import Path

from plainsky.config.errors import ConfigErrors
from plainsky.config.loading import parse
from plainsky.config.writing import Answers, first_config
from plainsky.errors import OperatorError

KEY_FILE = "labeler.key"

QUESTIONS = {
    "hostname": ("Under which host name will the world reach you?", "localhost:3000"),
    "topic": ("What is your first feed called?", None),
    "hashtags": ("Which hashtags belong in it? (separated by commas)", None),
    "languages": ("Only posts in certain languages? (like: nl, fr, en; empty for all)", ""),
    "labeler": ("Run a labeler too? (yes or no)", "no"),
}
"""What is asked, and the answer when just Enter is pressed; None: taken from what was answered before, or asked again."""


NO = ("", "n", "no", "nee", "non", "nein")
_GOOD: dict[str, str | bool | None] = {"hostname": "localhost:3000", "topic": "x", "hashtags": "x", "languages": "", "labeler": False}


def add_arguments(parser: ArgumentParser) -> None:
    """One flag for each question, and what is never asked."""
    parser.epilog = "Without flags it asks. Where nobody can answer (in a script), --hostname and --topic or --hashtags are needed."
    parser.add_argument("--hostname", help='public host name, like feeds.example.org, or "localhost:3000" to try it out')
    parser.add_argument("--topic", metavar="NAME", help="name of the first feed")
    parser.add_argument("--hashtags", metavar="TAGS", help="hashtags that belong in it, separated by commas")
    parser.add_argument("--languages", metavar="TAGS", help="only posts in these languages, like nl,fr,en")
    parser.add_argument("--labeler", action=BooleanOptionalAction, default=None, help="run a labeler too, and make its signing key")
    parser.add_argument("--source", choices=("jetstream", "firehose"), default="jetstream", help="where posts come from (%(default)s)")
    parser.add_argument("--output", metavar="FILE", type=Path, default=Path("config.toml"), help="the file to write (%(default)s)")


def run(arguments: Namespace) -> int:
    """Ask what the flags do not say, check it, write."""
    output: Path = arguments.output
    _refuse_to_overwrite(output)
    given = {name: getattr(arguments, name) for name in QUESTIONS}
    answers = _answers(_asked(given) if sys.stdin.isatty() else _complete(given), arguments.source, output)
    text = first_config(answers)
    parse(text, "the config that these answers make")
    told = [_make_key(answers.key_file)] if answers.key_file else []
    _write(output, text)
    told += [f"Wrote {output}.", f"Next: plainsky check {output}", ""]
    sys.stdout.write("\n".join(told))
    return 0


def _refuse_to_overwrite(output: Path) -> None:
    if output.exists():
        raise OperatorError(f"{output}: there is a file already, and it is never overwritten. Name another with --output, or move it away")


def _asked(given: dict[str, str | bool | None]) -> dict[str, str | bool | None]:
    answers = dict(given)
    for name, (question, default) in QUESTIONS.items():
        while answers[name] is None:
            answer = _ask(question, _one_tag(answers["topic"]) if name == "hashtags" else default)
            if what := _wrong(name, answer):
                sys.stdout.write(f"{what}\n")
            else:
                answers[name] = answer
    return answers


def _wrong(name: str, answer: str) -> str:
    """What is wrong with one answer, as the loader says it of a config that has no other answer to doubt; empty when nothing."""
    if name == "labeler":
        return "" if is_yes(answer) or answer.lower() in NO else 'Please answer "yes" or "no".'
    try:
        parse(first_config(_answers({**_GOOD, name: answer}, "jetstream", Path())))
    except ConfigErrors as error:
        return "\n".join(problem.what for problem in error.problems)
    return ""


def _one_tag(topic: str | bool | None) -> str:
    return "".join(str(topic or "").split())


def _ask(question: str, default: str | None) -> str:
    hint = f" [{default}]" if default else ""
    while True:
        try:
            answer = input(f"{question}{hint} ").strip()
        except EOFError:
            raise OperatorError("No answer, nothing written.") from None
        if answer or default is not None:
            return answer or default or ""


def _complete(given: dict[str, str | bool | None]) -> dict[str, str | bool | None]:
    missing = [] if given["hostname"] else ["--hostname"]
    missing += [] if given["topic"] or given["hashtags"] else ["--topic or --hashtags"]
    if missing:
        raise OperatorError(f"plainsky init cannot ask here, as nobody is at the keyboard: needed {' and '.join(missing)}")
    return given


def _answers(said: dict[str, str | bool | None], source: str, output: Path) -> Answers:
    tags = tuple(tag.lstrip("#＃") for tag in _listed(said["hashtags"] or _one_tag(said["topic"])))
    labeler = said["labeler"] if isinstance(said["labeler"], bool) else is_yes(said["labeler"])
    return Answers(
        hostname=str(said["hostname"]),
        topic=str(said["topic"] or (tags[0] if tags else "")),
        hashtags=tags,
        languages=_listed(said["languages"]),
        source=source,
        key_file=output.parent / KEY_FILE if labeler else None,
    )


def _listed(words: str | bool | None) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", str(words or "")) if word)


def is_yes(answer: str | None) -> bool:
    """Also oui, ja and sí."""
    return (answer or "").strip().lower() in ("y", "yes", "j", "ja", "o", "oui", "si", "sí")


def _make_key(path: Path) -> str:
    from labeler.keys import KeyFileError, create, load

    try:
        if path.exists():  # a key is the labeler's identity: the one that is there is the one to use
            load(path)
            return f"Kept the signing key in {path}."
        create(path)
    except KeyFileError as error:
        raise OperatorError(str(error)) from None
    return f"Made a signing key: {path}. Keep a copy in a safe place."


def _write(output: Path, text: str) -> None:
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _refuse_to_overwrite(output)
    except OSError as error:
        raise OperatorError(f"{output}: cannot be written: {error.strerror}") from None
