"""Reading and judging service-auth tokens, without keys from anywhere (models/protocol/service_auth.py)."""

import base64
import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from models.protocol import public_keys
from models.protocol.service_auth import LONGEST, audiences, check, parse, signed_by
from models.protocol.xrpc import XrpcError
from tests.support.tokens import KEY, LXM, NOW, OTHER, P256, SERVICE, Key, bearer, claims, encoded, mint

OURS = audiences(SERVICE, "bsky_fg")
NAMES = {"AuthMissing", "BadJwt", "BadJwtType", "JwtExpired", "BadJwtAudience", "BadJwtLexiconMethod", "BadJwtIss", "BadJwtSignature"}


def judged(authorization: str | None, key: Key = KEY) -> str:
    """What becomes of a token: "good", or the error's name."""
    try:
        token = parse(authorization)
        check(token.claims, OURS, LXM, NOW)
    except XrpcError as error:
        return error.name if error.status == 401 else f"{error.status}"
    return "good" if signed_by(token, public_keys.parse(key.multibase)) else "BadJwtSignature"


GOOD: dict[str, dict[str, Any]] = {
    "as the reference PDS signs it": {},
    "for this service of the DID": {"aud": f"{SERVICE}#bsky_fg"},
    "about to expire": {"exp": NOW + 1},
    "for an hour": {"exp": NOW + 3600},
    "by a clock 100 s ahead of ours": {"iat": NOW + 100, "exp": NOW + 160},
    "by a clock an hour behind": {"iat": NOW - 3600},
    "without a time of issue": {"iat": None},
    "with fractions of a second": {"exp": NOW + 60.5, "iat": NOW - 0.5},
    "with a not-before in the past": {"nbf": NOW - 1},
    "with claims nobody knows": {"scope": "x", "nonce": [1, {"a": None}]},
    "by a did:web": {"iss": "did:web:alice.example.com"},
}


@pytest.mark.parametrize("changed", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("key", [KEY, P256], ids=["k256", "p256"])
def test_a_good_token_passes_with_low_and_with_high_s(changed: dict[str, Any], key: Key) -> None:
    for high in (False, True):
        assert judged(bearer(mint(claims(**changed), key, high)), key) == "good"


@pytest.mark.parametrize(
    "header",
    [{"typ": None}, {"typ": "jwt"}, {"typ": "atproto-service+jwt"}, {"kid": "#atproto"}, {"jku": "https://x.example"}],
    ids=str,
)
def test_a_header_may_be_spelt_in_these_ways(header: dict[str, Any]) -> None:
    assert judged(bearer(mint(claims(), **header))) == "good"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_the_scheme_is_a_word_in_any_case(scheme: str) -> None:
    assert judged(scheme + mint(claims())) == "good"


def test_each_room_takes_tokens_for_its_own_service_only() -> None:
    assert audiences("did:web:x.example", "bsky_fg") == {"did:web:x.example", "did:web:x.example#bsky_fg"}
    assert judged(bearer(mint(claims(aud=f"{SERVICE}#atproto_labeler")))) == "BadJwtAudience"


TOKEN = mint(claims())
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from(DIGITS + "=+/. \0é"))
def test_no_character_of_a_good_token_can_be_another(place: int, character: str) -> None:
    assume(TOKEN[place] != character)

    assert judged(bearer(TOKEN[:place] + character + TOKEN[place + 1 :])) in NAMES


def test_the_last_digit_has_one_spelling() -> None:
    assert [digit for digit in DIGITS if judged(bearer(TOKEN[:-1] + digit)) == "good"] == [TOKEN[-1]]


@given(st.integers(0, len(TOKEN)), st.integers(0, 20), st.text(max_size=5))
def test_no_part_of_a_good_token_can_be_left_out_or_added(place: int, left_out: int, added: str) -> None:
    other = TOKEN[:place] + added + TOKEN[place + left_out :]
    assume(other.strip(" ") != TOKEN)

    assert judged(bearer(other)) in NAMES


@given(st.sampled_from(sorted(claims())), st.sampled_from(sorted(claims())))
def test_claims_of_one_token_do_not_pass_under_the_signature_of_another(one: str, two: str) -> None:
    swapped = claims() | {one: claims()[two], two: claims()[one]}
    assume(swapped != claims())
    head, _, signature = TOKEN.split(".")

    assert judged(bearer(f"{head}.{encoded(json.dumps(swapped).encode())}.{signature}")) in NAMES


@pytest.mark.parametrize(("one", "two"), [(KEY, OTHER), (KEY, P256), (P256, KEY)], ids=["another key", "another curve", "k256 for p256"])
def test_the_key_and_its_curve_must_be_the_accounts(one: Key, two: Key) -> None:
    assert judged(bearer(mint(claims(), one)), two) == "BadJwtSignature"
    assert judged(bearer(mint(claims(), one, alg=two.alg)), two) == "BadJwtSignature"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda data: bearer(data.decode("latin-1"))))
@example("Bearer")
@example("Bearer ")
@example("Bearer " + "A" * 100_000)
@example("Bearer ..")
@example("Bearer \udcff.b.c")
@example("Bearer a.b." + "A" * 86)
@example(f"Bearer {encoded(b'[' * 2000)}.{encoded(b'{}')}.{'A' * 86}")
@example(f"Bearer {encoded(b'{}')}.{encoded(b'[' * 2000)}.{'A' * 86}")
def test_garbage_gets_an_xrpc_error_and_nothing_else(text: str) -> None:
    assert judged(text) in NAMES


@given(st.dictionaries(st.sampled_from(["typ", "alg", "kid", "crit", "b64", "x"]), JSON))
def test_any_header_is_answered(header: dict[str, Any]) -> None:
    assert judged(bearer(mint(claims(), **header))) in NAMES | {"good"}


@given(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "lxm", "jti", "x"]), JSON))
def test_any_claims_are_answered(said: dict[str, Any]) -> None:
    assert judged(bearer(mint(said))) in NAMES
    assert judged(bearer(mint(claims() | said))) in NAMES | {"good"}


def test_a_token_may_be_long_but_not_endless() -> None:
    assert judged(bearer(mint(claims(x="x" * 2000)))) == "good"
    assert judged(bearer(mint(claims(x="x" * LONGEST)))) == "BadJwt"


def test_what_is_signed_is_the_text_itself() -> None:
    head, body, signature = TOKEN.split(".")
    token = parse(bearer(TOKEN))

    assert token.signed == f"{head}.{body}".encode()
    assert token.signature == base64.urlsafe_b64decode(signature + "==")
    assert (token.claims.iss, token.claims.lxm, token.alg) == (claims()["iss"], LXM, "ES256K")
