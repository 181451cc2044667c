"""Tokens of the reference library and of a real PDS, for accounts of a real PLC directory (issue: personal feeds)."""

import json
import subprocess
import time
from typing import Any

import pytest

from models.protocol.service_auth import audiences
from models.protocol.xrpc import XrpcError
from plainsky.asking.did_documents import DidDocuments
from plainsky.asking.tokens import Verifier
from tests.support.network import Net, node

LXM = "app.bsky.feed.getFeedSkeleton"
SERVICE = "did:web:feeds.example.org"
KEYS = {"k256": "11" * 32, "p256": "22" * 32}
LABEL_KEY = "33" * 32


class Minter:
    """The reference library, in the network's own Node."""

    def __init__(self, net: Net) -> None:
        self._net = net

    def mint(self, curve: str = "k256", key: str = "", **claims: Any) -> dict[str, Any]:
        """{token, did: the key's did:key, verified: what the library's verifier says}; a claim of None is left out."""
        wanted = {"key": key or KEYS[curve], "curve": curve, "aud": SERVICE, "lxm": LXM} | claims
        wanted["verify"] = {"aud": SERVICE, "lxm": LXM}
        command = [str(node(self._net._folder)), "service-tokens.mjs"]
        done = subprocess.run(
            command, cwd=self._net._folder / "app", input=json.dumps([wanted]), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        minted: dict[str, Any] = json.loads(done.stdout)[0]
        return minted

    def account(self, **keys: str) -> str:
        """A did:plc with these keys (did:key), on no PDS."""
        return self._net.create_did({}, **keys)


class Clock:
    """Seconds; what is added to the real ones."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def minter(net: Net) -> Minter:
    return Minter(net)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(net: Net, clock: Clock) -> Verifier:
    return Verifier(DidDocuments(net.plc, clock), audiences(SERVICE, "bsky_fg"), clock)


async def answer(verifier: Verifier, token: str, lxm: str = LXM) -> str:
    """The viewer's DID, or the error's name."""
    try:
        return await verifier.verify(f"Bearer {token}", lxm)
    except XrpcError as error:
        return error.name


@pytest.mark.parametrize("curve", KEYS)
@pytest.mark.parametrize("aud", [SERVICE, f"{SERVICE}#bsky_fg"], ids=["bare", "with its service"])
async def test_a_token_of_the_reference_library_tells_who_asks(minter: Minter, verifier: Verifier, curve: str, aud: str) -> None:
    key = minter.mint(curve, iss="did:plc:x")["did"]
    viewer = minter.account(atproto=key)

    assert await answer(verifier, minter.mint(curve, iss=viewer, aud=aud)["token"]) == viewer


def service_auth(net: Net, who: str, **asked: Any) -> str:
    return str(net.get("com.atproto.server.getServiceAuth", who, **({"aud": SERVICE, "lxm": LXM} | asked))["token"])


NOW = int(time.time())
NEGATIVES: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"iat": NOW - 600, "exp": NOW - 540}, "JwtExpired"),
    "for ten years": ({"exp": NOW + 315_360_000}, "BadJwt"),
    "for another service": ({"aud": "did:web:api.bsky.app"}, "BadJwtAudience"),
    "for another service of the DID": ({"aud": f"{SERVICE}#atproto_labeler"}, "BadJwtAudience"),
    "for another method": ({"lxm": "com.atproto.moderation.createReport"}, "BadJwtLexiconMethod"),
    "for any method": ({"lxm": None}, "BadJwtLexiconMethod"),
    "from the future": ({"iat": NOW + 3000, "exp": NOW + 3060}, "BadJwt"),
    "signed with the key for labels": ({"key": LABEL_KEY}, "BadJwtSignature"),
    "by a service of the account": ({"key": LABEL_KEY, "fragment": "#atproto_labeler"}, "BadJwtIss"),
    "by nobody": ({"iss": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"}, "BadJwtIss"),
}
STRICTER = {"for ten years", "from the future"}
"""The reference verifier looks at neither."""


@pytest.mark.parametrize("name", NEGATIVES)
async def test_what_the_reference_verifier_refuses_is_refused_by_the_same_name(minter: Minter, verifier: Verifier, name: str) -> None:
    changed, expected = NEGATIVES[name]
    keys = {"atproto": minter.mint(iss="did:plc:x")["did"], "atproto_label": minter.mint(key=LABEL_KEY, iss="did:plc:x")["did"]}
    changed = {"iss": minter.account(**keys)} | changed
    changed["iss"] += changed.pop("fragment", "")
    minted = minter.mint(**changed)

    assert await answer(verifier, minted["token"]) == expected
    if expected in ("JwtExpired", "BadJwtAudience", "BadJwtLexiconMethod"):
        assert minted["verified"] == expected
    elif name in STRICTER:
        assert minted["verified"] is None


async def test_a_pds_vouches_for_its_own_account(net: Net, verifier: Verifier) -> None:
    net.account("vera")
    token = service_auth(net, "vera")

    assert await answer(verifier, token) == net.did("vera")
    assert await answer(verifier, token, "app.bsky.feed.sendInteractions") == "BadJwtLexiconMethod"


async def test_a_token_for_an_hour_as_a_pds_gives_it_passes(net: Net, verifier: Verifier) -> None:
    net.account("hana")

    assert await answer(verifier, service_auth(net, "hana", exp=int(time.time()) + 3595)) == net.did("hana")


async def test_after_a_change_of_keys_the_new_one_counts_and_the_old_no_more(
    net: Net, minter: Minter, verifier: Verifier, clock: Clock
) -> None:
    net.account("rotating")
    before = service_auth(net, "rotating", exp=int(time.time()) + 600)
    assert await answer(verifier, before) == net.did("rotating")

    minted = minter.mint(iss=net.did("rotating"), exp=int(time.time()) + 600)
    assert await answer(verifier, minted["token"]) == "BadJwtSignature"
    net.control("/plc/update", handle="rotating", verificationMethods={"atproto": minted["did"]})
    clock.ahead = 61

    assert await answer(verifier, minted["token"]) == net.did("rotating")
    assert await answer(verifier, before) == "BadJwtSignature"
