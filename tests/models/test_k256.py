"""Both libraries that sign and check on secp256k1 are one to the rest of the project."""

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.protocol import ecdsa, k256
from models.protocol.ecdsa import K256_ORDER
from models.protocol.k256 import openssl

BOTH = pytest.mark.parametrize("library", [k256, openssl], ids=["the fastest here", "OpenSSL"])
SECRETS = st.integers(1, K256_ORDER - 1).map(lambda number: number.to_bytes(32, "big"))


@given(SECRETS, st.binary(max_size=300))
def test_both_make_the_same_signature_and_take_the_other_ones(secret: bytes, message: bytes) -> None:
    ours, theirs = k256.PrivateKey(secret), openssl.PrivateKey(secret)

    assert ours.sign(message) == theirs.sign(message)
    assert (ours.public_key.point, ours.to_hex()) == (theirs.public_key.point, theirs.to_hex())
    assert ours.public_key.verify(message, theirs.sign(message))
    assert theirs.public_key.verify(message, ours.sign(message))


@given(SECRETS, st.binary(max_size=80) | st.sampled_from([b"\0" * 64, b"\xff" * 64, b"\0" * 63 + b"\1"]))
def test_both_refuse_the_same(secret: bytes, signature: bytes) -> None:
    key = k256.PrivateKey(secret)

    for public in (key.public_key, openssl.PublicKey(key.public_key.point)):
        assert not public.verify(b"a message", signature)
        assert not public.verify(b"a message", key.sign(b"another"))


@BOTH
def test_a_high_s_twin_is_told_apart_by_is_low_alone(library: ModuleType) -> None:
    key = library.PrivateKey(b"\7" * 32)
    low = key.sign(b"a message")
    high = low[:32] + (K256_ORDER - int.from_bytes(low[32:], "big")).to_bytes(32, "big")

    assert key.public_key.verify(b"a message", high)
    assert (ecdsa.is_low(low, key.public_key.alg), ecdsa.is_low(high, key.public_key.alg)) == (True, False)


@BOTH
@pytest.mark.parametrize("secret", [bytes(32), K256_ORDER.to_bytes(32, "big"), b"\xff" * 32], ids=["zero", "the order", "above it"])
def test_a_secret_that_is_no_number_of_the_curve_is_a_value_error(library: ModuleType, secret: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        library.PrivateKey(secret)


@BOTH
@pytest.mark.parametrize("point", [b"", bytes(33), b"\2" + b"\xff" * 32, b"\7" * 33], ids=["none", "zeros", "not on the curve", "no form"])
def test_a_point_that_is_none_of_the_curve_is_a_value_error(library: ModuleType, point: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        library.PublicKey(point)


@BOTH
def test_a_new_key_is_another_one_each_time(library: ModuleType) -> None:
    assert library.PrivateKey().to_hex() != library.PrivateKey().to_hex()
