"""Labels of other labelers: which are wanted, and whether they are signed as they must be (labeler/foreign.py)."""

from typing import Any

import libipld
import pytest

from labeler.foreign import Garbage, Heard, heard, is_signed
from models.protocol import public_keys
from models.protocol.syntax import format_datetime
from tests.support.garden import at, did, uri
from tests.support.neighbours import LABELER, label
from tests.support.tokens import KEY, OTHER, P256, Key

CID = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"
WANTED = frozenset({"spam", "rude"})


def read(**fields: Any) -> Heard | None:
    """What is made of a label of LABELER."""
    return heard(7, {**label(uri(0, 1)), **fields}, LABELER, WANTED)


def test_a_wanted_label_is_read_with_all_it_says() -> None:
    fields = label(uri(0, 1), second=3, cid=CID, neg=True, exp=format_datetime(at(9)))
    found = heard(7, fields, LABELER, WANTED)

    assert found
    assert found.label == (uri(0, 1), LABELER, "spam", fields["cid"], True, at(3), 7, at(9))


@pytest.mark.parametrize("of", [did(0), uri(0, 1)])
def test_accounts_and_posts_are_subjects(of: str) -> None:
    found = heard(1, label(of), LABELER, WANTED)

    assert found
    assert found.label.uri == of


@pytest.mark.parametrize(
    "of",
    [f"at://{did(0)}/app.bsky.actor.profile/self", f"at://{did(0)}/app.bsky.feed.post", "at://a.example.org/app.bsky.feed.post/3k", "x"],
)
def test_what_says_nothing_of_posts_is_let_go(of: str) -> None:
    assert heard(1, label(of), LABELER, WANTED) is None


def test_a_value_that_nobody_asks_for_is_let_go_whatever_else_is_wrong() -> None:
    assert read(val="porn", cts=None, sig="x") is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"src": did(5)}, "foreign_label"),
        ({"cts": "yesterday"}, "bad_label"),
        ({"cts": None}, "bad_label"),
        ({"exp": "tomorrow"}, "bad_label"),
        ({"uri": 7}, "bad_label"),
        ({"cid": "no cid at all"}, "bad_label"),
        ({"neg": "yes"}, "bad_label"),
        ({"ver": 2}, "bad_label"),
        ({"sig": None}, "bad_label"),
        ({"sig": "text"}, "bad_label"),
    ],
    ids=str,
)
def test_garbage_is_told_by_a_word(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Garbage, match=f"^{reason}$"):
        read(**fields)


@pytest.mark.parametrize("garbage", [None, 7, "x", [], {}])
def test_what_is_no_label_at_all_is_garbage_too(garbage: Any) -> None:
    with pytest.raises(Garbage):
        heard(1, garbage, LABELER, WANTED)


def signed(fields: dict[str, Any], key: Key = KEY) -> bool:
    found = heard(1, fields, LABELER, WANTED)
    assert found
    return is_signed(found, public_keys.parse(key.multibase))


@pytest.mark.parametrize("key", [KEY, P256], ids=["k256", "p256"])
def test_a_signature_of_the_labelers_key_is_good_on_either_curve(key: Key) -> None:
    assert signed(label(uri(0, 1), key=key), key)


def test_a_field_that_we_do_not_know_is_signed_too() -> None:
    assert signed(label(uri(0, 1), reason="because", ver=1))
    assert not signed({**label(uri(0, 1)), "reason": "put in later"})


@pytest.mark.parametrize(
    "more", [{"neg": False}, {"cid": None}, {"exp": None, "neg": False}, {"$type": "com.atproto.label.defs#label"}], ids=str
)
def test_what_some_labelers_send_and_do_not_sign_is_no_reason_to_refuse(more: dict[str, Any]) -> None:
    assert signed({**label(uri(0, 1)), **more})


@pytest.mark.parametrize("changed", [{"uri": uri(0, 2)}, {"val": "rude"}, {"neg": True}, {"cts": format_datetime(at(1))}], ids=str)
def test_a_label_that_was_changed_is_not_signed(changed: dict[str, Any]) -> None:
    assert not signed({**label(uri(0, 1)), **changed})


def test_another_key_a_high_s_and_a_wrong_length_are_no_signatures() -> None:
    fields = label(uri(0, 1), key=None)
    message = libipld.encode_dag_cbor(fields)

    assert not signed({**fields, "sig": OTHER.sign(message)})
    assert not signed({**fields, "sig": KEY.sign(message, high=True)})
    assert not signed({**fields, "sig": P256.sign(message, high=True)}, P256)
    assert not signed({**fields, "sig": KEY.sign(message)[:63]})
