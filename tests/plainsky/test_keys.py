"""`plainsky keys`: the signing key made, shown and replaced, and never lost or shown itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from labeler import keys
from plainsky.cli import main
from tests.support.commands import Said

CONFIG = '[service]\nhostname = "labels.example.org"\n[labeler]\nkey_file = "{folder}/labeler.key"\n'
Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("keys", "new")`: the command, with a config that has a labeler."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(folder=tmp_path))

    def run(kind: str, *options: str, file: Path = config) -> Said:
        code = main(["keys", kind, str(file), *options])
        return Said(code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("text", [b"not a key\n", b"\xff\n", b"did:key:z 2026-01-01T00:00:00.000Z\n"])
def test_a_list_of_keys_before_that_is_damaged_is_told_and_blank_lines_are_none(run: Run, tmp_path: Path, text: bytes) -> None:
    run("new")
    run("rotate")
    kept = tmp_path / "labeler.key.retired"
    before = kept.read_bytes()
    kept.write_bytes(before + b"\n")
    assert run("show").code == 0
    kept.write_bytes(before + text)

    said = run("show")

    assert said.code == 2
    assert f"{kept}: line 2" in said.err


def test_a_new_key_is_in_the_file_that_the_config_names_and_its_public_half_is_shown(run: Run, tmp_path: Path) -> None:
    said = run("new")

    key = keys.load(tmp_path / "labeler.key")
    assert (said.code, said.err) == (0, "")
    assert keys.did_key(key.public_key) in said.out
    assert run("show").out.splitlines()[1:] == [
        f"  as a did:key, in a PLC operation:   {keys.did_key(key.public_key)}",
        f"  as multibase, in the DID document:  {keys.public_key_multibase(key.public_key)}",
    ]
    assert key.to_hex() not in said.out + run("show").out


def test_a_key_that_is_there_is_kept_also_by_force(run: Run, tmp_path: Path) -> None:
    run("new")
    first = keys.load(tmp_path / "labeler.key")

    refused = run("new")
    assert (refused.code, "never overwritten" in refused.err) == (2, True)
    assert keys.load(tmp_path / "labeler.key").to_hex() == first.to_hex()

    assert run("new", "--force").code == 0
    assert keys.load(tmp_path / "labeler.key") != first
    (backup,) = tmp_path.glob("labeler.key.until-*")
    assert keys.load(backup).to_hex() == first.to_hex()


def test_rotate_says_what_follows_and_show_tells_the_keys_before(run: Run, tmp_path: Path) -> None:
    run("new")
    first = keys.load(tmp_path / "labeler.key")

    said = run("rotate")

    assert said.code == 0
    for step in ("Stop the service", "plainsky publish labeler --stopped", "Start the service", "plainsky publish labeler --check"):
        assert step in said.out
    assert f": {keys.did_key(first.public_key)}" in run("show").out


def test_a_key_from_the_environment_is_shown_and_not_replaced(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAINSKY_LABELER_KEY", "11" * 32)

    assert "The signing key in the environment:" in run("show").out
    for kind in ("new", "rotate"):
        said = run(kind)
        assert (said.code, "comes from the environment" in said.err) == (2, True)
    assert list(tmp_path.glob("labeler.key*")) == []


def test_a_file_may_be_named_without_a_config(run: Run, tmp_path: Path) -> None:
    assert run("new", "--key-file", str(tmp_path / "other.key"), file=tmp_path / "nothing.toml").code == 0
    assert "other.key" in run("show", "--key-file", str(tmp_path / "other.key"), file=tmp_path / "nothing.toml").out


def test_a_config_without_a_labeler_has_no_key(run: Run, tmp_path: Path) -> None:
    feed = '[[feeds]]\nrkey = "x"\nname = "X"\n[[feeds.include]]\nkind = "hashtag"\nany = ["x"]\n'
    (tmp_path / "feeds.toml").write_text(f'[service]\nhostname = "x.example.org"\n{feed}')

    for kind in ("new", "show", "rotate"):
        said = run(kind, file=tmp_path / "feeds.toml")
        assert (said.code, "has no [labeler]" in said.err) == (2, True)
