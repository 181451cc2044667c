"""The signing key's file and its public half."""

import json
import os
import stat
from pathlib import Path

import libipld
import pytest

from labeler import keys
from labeler.declaration import did_document_parts
from tests.support.labels import KEY, SRC

FIXTURES = json.loads((Path(__file__).parent.parent / "data" / "interop" / "w3c_didkey_K256.json").read_text())


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture["publicDidKey"])
def test_did_keys_are_those_of_the_interop_fixtures(fixture: dict[str, str]) -> None:
    key = keys.parse(fixture["privateKeyBytesHex"], "fixture")

    assert keys.did_key(key.public_key) == fixture["publicDidKey"]
    assert keys.parse_public_key(fixture["publicDidKey"]).point == key.public_key.point


def test_a_key_file_is_its_owners_alone_and_can_be_loaded(tmp_path: Path) -> None:
    made = keys.create(tmp_path / "key")

    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert keys.load(tmp_path / "key").to_hex() == made.to_hex()


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    made = keys.create(tmp_path / "key")

    with pytest.raises(keys.KeyFileError, match="never overwritten"):
        keys.create(tmp_path / "key")
    assert keys.load(tmp_path / "key").to_hex() == made.to_hex()


def test_a_key_in_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(keys.KeyFileError, match=r"nowhere/key: cannot write the signing key: No such file or directory"):
        keys.create(tmp_path / "nowhere" / "key")


def test_a_missing_key_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(keys.KeyFileError, match=r"key: no such file. `plainsky keys new`"):
        keys.load(tmp_path / "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    keys.create(tmp_path / "key")
    (tmp_path / "key").chmod(mode)

    with pytest.raises(keys.KeyFileError, match="chmod 600"):
        keys.load(tmp_path / "key")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        b"ab" * 31,
        b"00" * 32,
        b"ff" * 32,
        b"-----BEGIN PRIVATE KEY-----",
        bytes(range(256)),
        b"ab" * 32 + b" " + b"cd" * 32,
    ],
    ids=["empty", "words", "too short", "zero", "beyond the curve's order", "PEM", "bytes", "two keys"],
)
def test_a_file_that_holds_no_key_is_refused_without_telling_what_it_holds(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").write_bytes(content)

    with pytest.raises(keys.KeyFileError, match="no k256 private key") as told:
        keys.load(tmp_path / "key")
    assert content.decode("ascii", "replace")[:20] not in str(told.value) or not content


def test_a_public_key_of_another_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="no k256 public key"):
        keys.parse_public_key("zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo")


def test_the_did_document_shows_the_label_key_and_the_service() -> None:
    parts = did_document_parts(SRC, KEY.public_key, "https://labels.example.org")

    assert parts == {
        "verificationMethod": [
            {
                "id": f"{SRC}#atproto_label",
                "type": "Multikey",
                "controller": SRC,
                "publicKeyMultibase": FIXTURES[0]["publicDidKey"].removeprefix("did:key:"),
            }
        ],
        "service": [{"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": "https://labels.example.org"}],
    }


def test_a_key_in_the_form_that_goat_makes_is_read() -> None:
    key = keys.parse(FIXTURES[0]["privateKeyBytesHex"], "fixture")
    multibase = libipld.encode_multibase("z", b"\x81\x26" + bytes.fromhex(key.to_hex()))

    assert keys.parse(multibase, "fixture").to_hex() == key.to_hex()


def test_a_renewed_key_leaves_the_one_before_in_a_file_and_its_public_half_in_a_list(tmp_path: Path) -> None:
    first = keys.create(tmp_path / "key")
    second, backup = keys.renew(tmp_path / "key", "2026-11-21T12:00:00.000Z")
    third, _ = keys.renew(tmp_path / "key", "2026-11-22T12:00:00.000Z")

    assert keys.load(tmp_path / "key").to_hex() == third.to_hex()
    assert (backup.name, keys.load(backup).to_hex()) == ("key.until-20261121T120000Z", first.to_hex())
    assert [(old.key.point, old.until) for old in keys.retired(tmp_path / "key")] == [
        (first.public_key.point, "2026-11-21T12:00:00.000Z"),
        (second.public_key.point, "2026-11-22T12:00:00.000Z"),
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("key*") if "retired" not in path.name} == {0o600}


def test_no_key_is_lost_when_it_is_renewed_twice_in_one_second(tmp_path: Path) -> None:
    keys.create(tmp_path / "key")
    second, _ = keys.renew(tmp_path / "key", "2026-11-21T12:00:00.000Z")

    with pytest.raises(keys.KeyFileError, match="this very second"):
        keys.renew(tmp_path / "key", "2026-11-21T12:00:00.900Z")
    assert keys.load(tmp_path / "key").to_hex() == second.to_hex()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "key.retired", "key.until-20261121T120000Z"]


def test_a_key_that_cannot_be_read_is_not_renewed(tmp_path: Path) -> None:
    (tmp_path / "key").touch(0o600)

    with pytest.raises(keys.KeyFileError, match="no k256 private key"):
        keys.renew(tmp_path / "key", "2026-11-21T12:00:00.000Z")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_key_that_was_never_renewed_has_none_before(tmp_path: Path) -> None:
    assert keys.retired(tmp_path / "key") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_that_root_renews_stays_the_services(tmp_path: Path) -> None:
    keys.create(tmp_path / "key")
    os.chown(tmp_path / "key", 4321, 4321)

    _, backup = keys.renew(tmp_path / "key", "2026-11-21T12:00:00.000Z")

    assert [(path.stat().st_uid, path.stat().st_gid) for path in (tmp_path / "key", backup)] == [(4321, 4321)] * 2
