"""What the documents name exists: files, tests, modules, commands, options, make targets, config keys."""

import argparse
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import attrs
import pytest

from plainsky.cli import COMMANDS
from plainsky.config.loading import parse
from plainsky.config.schema import Labeler

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])
ARCHITECTURE = ROOT / "docs" / "architecture.md"
INVARIANTS = ROOT / "docs" / "invariants.md"
ROOMS = ("plainsky", "feedgen", "labeler", "models", "tests", "benchmarks", "docs", "scripts")

KEYS = {f"labeler.{field.name}" for field in attrs.fields(Labeler)}


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def blocks(document: Path, kind: str) -> list[str]:
    """The fenced blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text_of(document), re.MULTILINE | re.DOTALL)


def code(document: Path) -> Iterator[str]:
    """All that stands in backticks, and each line of the shell blocks."""
    prose = re.sub(r"^```.*?^```", "", text_of(document), flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", prose)
    for block in blocks(document, "sh"):
        yield from block.splitlines()


def found(pattern: str, documents: list[Path] = DOCUMENTS) -> list[tuple[str, str]]:
    """(document's name, match) of every match in code, each once."""
    return sorted({(document.name, match) for document in documents for part in code(document) for match in re.findall(pattern, part)})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text_of(document)))
    relative = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith(("#", "mailto:"))]

    assert [link for link in relative if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_heading_leads_to_one(document: Path) -> None:
    for link, heading in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", text_of(document)):
        target = document.parent / link if link else document
        headings = [
            re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-") for line in re.findall(r"^#+ (.*)", text_of(target), re.M)
        ]
        assert heading in headings, f"{link}#{heading}"


def test_there_are_twelve_invariants_and_each_names_its_tests() -> None:
    paragraphs = re.split(r"^\d+\. ", text_of(INVARIANTS), flags=re.MULTILINE)[1:]

    assert len(paragraphs) == 12
    assert [paragraph.split("\n")[0] for paragraph in paragraphs if "`tests/" not in paragraph] == []


@pytest.mark.parametrize(("document", "named"), found(r"^(tests/[\w/]+\.py::\w+)"))
def test_every_test_that_is_named_exists(document: str, named: str) -> None:
    path, _, function = named.partition("::")

    assert (ROOT / path).is_file(), document
    assert re.search(rf"^\s*(?:async )?def {function}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), document


def exists(named: str) -> bool:
    """A path (also with a star), a module, a name in a module, or a key of the config's table [labeler]."""
    if "/" in named or (ROOT / named).exists():
        return any(ROOT.glob(named.rstrip("/")))
    module, _, name = named.rpartition(".")
    path, within = ROOT.joinpath(*named.split(".")), ROOT.joinpath(*module.split(".")).with_suffix(".py")
    defined = within.is_file() and re.search(rf"^(?:class |def |async def )?{name}\b", within.read_text(encoding="utf-8"), re.MULTILINE)
    return path.is_dir() or path.with_suffix(".py").is_file() or bool(defined) or named in KEYS


@pytest.mark.parametrize(("document", "named"), found(rf"^((?:{'|'.join(ROOMS)})[/.][\w./*-]+)"))
def test_every_path_and_module_that_is_named_exists(document: str, named: str) -> None:
    assert exists(named), document


def tree() -> Iterator[str]:
    """The paths in the architecture's picture of the house: a room at the line's beginning, what is in it below."""
    room = ""
    for line in blocks(ARCHITECTURE, "text")[0].splitlines():
        names = re.findall(r"(?:(?<=\s)|^)([a-z_]+(?:\.py|/))(?=\s|$)", line)
        if not line.startswith(" "):
            room = names.pop(0)
            yield room
        yield from (room + name for name in names)


@pytest.mark.parametrize("path", list(tree()))
def test_every_path_in_the_picture_of_the_house_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_no_room_is_missing_in_the_picture_of_the_house() -> None:
    (packages,) = re.findall(r"^packages = \[(.*)\]$", (ROOT / "pyproject.toml").read_text().partition("wheel]")[2], re.MULTILINE)[:1]

    assert {path.rstrip("/") for path in tree() if path.count("/") == 1 and path.endswith("/")} == set(re.findall(r'"(\w+)"', packages))


@cache
def options(command: str) -> frozenset[str]:
    """The options of a subcommand, and of what stands below it."""
    parser = argparse.ArgumentParser()
    import_module(f"plainsky.commands.{command.replace('-', '_')}").add_arguments(parser)
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    parsers = [parser, *(sub for action in below for sub in action.choices.values())]
    return frozenset(option for each in parsers for option in each._option_string_actions) | {"--help"}


def test_every_command_that_is_named_exists() -> None:
    names = {command.name for command in COMMANDS}

    named = found(r"(?<![\w@-])plainsky ([a-z][\w-]*)")
    assert len(named) > 5
    assert [(document, name) for document, name in named if name not in names] == []


@pytest.mark.parametrize(("document", "line"), found(r"(?<![\w@-])(plainsky [a-z-]+ .*--\w.*)"))
def test_every_option_that_is_named_exists(document: str, line: str) -> None:
    assert set(re.findall(r"(?<!\w)--[a-z][\w-]*", line)) <= options(line.split()[1]), document


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = found(r"(?:^|\s)make ([a-z]\w*)")
    assert {"demo", "test", "check"} <= {target for _, target in named}
    assert [(document, target) for document, target in named if target not in targets] == []


def test_every_environment_variable_that_is_named_is_read() -> None:
    sources = [path for room in ("plainsky", "tests/support") for path in (ROOT / room).rglob("*.py")]
    read = {name for path in sources for name in re.findall(r"PLAINSKY_[A-Z_]+", path.read_text(encoding="utf-8"))}

    assert [(document, name) for document, name in found(r"(PLAINSKY_[A-Z_]+)") if name not in read] == []


SERVICE = '[service]\nhostname = "feeds.example.org"\n'
FEED = '[[feeds]]\nrkey = "a"\nname = "A"\n'
INCLUDE = '[[feeds.include]]\nkind = "language"\nany = ["en"]\n'


def completed(block: str) -> str:
    """A part of a config with the least that makes it whole."""
    config = tomllib.loads(block) if not block.startswith("[[feeds.") else {"feeds": []}
    head = "" if "service" in config else SERVICE
    head += "" if "labeler" in config or "labels" not in config else "[labeler]\n"
    if block.startswith("[[feeds."):
        return head + FEED + ("" if "[[feeds.include]]" in block else INCLUDE) + block
    return head + block + ("" if "feeds" in config or "labels" in config else "\n" + FEED + INCLUDE)


@pytest.mark.parametrize(
    ("document", "block"),
    [pytest.param(path.name, block, id=f"{path.name}-{n}") for path in DOCUMENTS for n, block in enumerate(blocks(path, "toml"))],
)
def test_every_example_of_a_config_is_one(document: str, block: str) -> None:
    assert parse(completed(block), document, {}).service.hostname == "feeds.example.org"
