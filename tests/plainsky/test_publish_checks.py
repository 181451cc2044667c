"""What `plainsky publish` looks at from outside before it writes, and what it says is to be mended (plainsky/publishing/checks.py)."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from plainsky.config.loading import parse
from plainsky.config.schema import Config
from plainsky.ingest import connecting
from plainsky.publishing import checks
from plainsky.publishing.checks import Check, Wrong, checked, look, told
from tests.support.pds import PUBLISHER, Pds
from tests.support.programs import ROOT, free_port


def config(hostname: str, did: str = "", plc: str = "http://127.0.0.1:1") -> Config:
    text = f'[service]\nhostname = "{hostname}"\nport = 3456\npublisher = "{PUBLISHER}"\n' + (f'did = "{did}"\n' if did else "")
    feed = '[[feeds]]\nrkey = "garden"\nname = "Garden"\n[[feeds.include]]\nkind = "hashtag"\nany = ["x"]\n'
    return parse(text + f'[identity]\nplc = "{plc}"\n' + feed, "config.toml", {})


@pytest.fixture
async def pds() -> AsyncIterator[Pds]:
    async with Pds() as server:
        server.offered = ["garden"]
        yield server


async def one(pds: Pds, path: str, **options: str) -> Check:
    """The check of an address that ends so."""
    found = await checked(config(f"localhost:{pds.port}", **options), ["garden"])
    return next(check for check in found if check.asked.endswith(path))


async def test_a_service_that_answers_as_it_should_passes(pds: Pds) -> None:
    found = await checked(config(f"localhost:{pds.port}"), ["garden"])

    assert told(found) == [
        f"ok      http://localhost:{pds.port}/.well-known/did.json",
        f"        {pds.did}, whose feed generator is http://localhost:{pds.port}",
        f"ok      http://localhost:{pds.port}/xrpc/app.bsky.feed.describeFeedGenerator",
        f"        {pds.did}, which offers this feed",
    ]


async def test_a_service_that_runs_under_another_name_is_told(pds: Pds) -> None:
    pds.generator = "did:web:old.example.org"

    document, description = await one(pds, "did.json"), await one(pds, "describeFeedGenerator")
    assert document.answer == f'it is the document of "did:web:old.example.org", not of {pds.did}'
    assert description.answer == f'it is "did:web:old.example.org", not {pds.did}'
    assert document.mend == description.mend == checks.ANOTHER_CONFIG


async def test_a_service_that_runs_with_an_older_config_is_told(pds: Pds) -> None:
    pds.offered = ["other"]

    check = await one(pds, "describeFeedGenerator")
    assert check.answer == f"it does not offer at://{PUBLISHER}/app.bsky.feed.generator/garden"
    assert check.mend == checks.OLDER_CONFIG


STATUSES = {301: checks.REDIRECT, 302: checks.REDIRECT, 401: checks.LOCKED, 403: checks.LOCKED, 404: checks.OTHER_PROGRAM}
STATUSES |= {502: checks.NO_BACKEND, 503: checks.NO_BACKEND, 504: checks.NO_BACKEND, 500: checks.OTHER_PROGRAM}


@pytest.mark.parametrize(("status", "mend"), STATUSES.items())
async def test_a_status_says_who_answered_instead_of_us(pds: Pds, status: int, mend: str) -> None:
    pds.fail("describeFeedGenerator", status, "Odd", Location="https://elsewhere.example.org/")

    check = await one(pds, "describeFeedGenerator")
    assert (check.answer, check.mend) == (f'HTTP {status} Odd "Odd"', mend.format(port=3456))


@pytest.mark.parametrize(
    "body", [b"<h1>Welcome to nginx!</h1>", b"[]", b"[" * 100_000, b"", b'{"\xff": 1}'], ids=lambda body: repr(body[:10])
)
async def test_another_program_that_answers_is_told(pds: Pds, body: bytes) -> None:
    pds.faults["did.json"] = [web.Response(body=body)]

    check = await one(pds, "did.json")
    assert check.answer.startswith("no JSON object: ")
    assert check.mend == checks.OTHER_PROGRAM.format(port=3456)


@pytest.mark.parametrize("service", [None, 7, [7], [{"id": "#atproto_pds"}]], ids=repr)
async def test_a_document_of_the_directory_without_us_says_how_to_get_into_it(pds: Pds, service: Any) -> None:
    pds.document = {"id": PUBLISHER, "service": service}

    check = await one(pds, f"/{PUBLISHER}", did=PUBLISHER, plc=pds.url)
    assert check.answer == "the document names no service #bsky_fg"
    assert check.mend == checks.PLC.format(endpoint=f"http://localhost:{pds.port}", web=pds.did)


async def test_a_document_of_the_directory_that_leads_elsewhere_is_told(pds: Pds) -> None:
    there = {"id": f"{PUBLISHER}#bsky_fg", "type": "BskyFeedGenerator", "serviceEndpoint": "https://old.example.org"}
    pds.document = {"id": PUBLISHER, "service": [there]}
    assert 'at "https://old.example.org", not a BskyFeedGenerator' in (await one(pds, PUBLISHER, did=PUBLISHER, plc=pds.url)).answer

    pds.document = {"id": PUBLISHER, "service": [{**there, "serviceEndpoint": f"http://localhost:{pds.port}"}]}
    assert (await one(pds, PUBLISHER, did=PUBLISHER, plc=pds.url)).mend is None


async def test_a_did_that_the_directory_does_not_know_is_told(pds: Pds) -> None:
    check = await one(pds, "a22", did="did:plc:a2222222222222222222a22", plc=pds.url)

    assert (check.answer, check.mend) == ('HTTP 404 "DID not registered"', checks.UNKNOWN)


async def test_a_directory_in_trouble_is_told(pds: Pds) -> None:
    pds.fail(PUBLISHER, 500, "InternalServerError")
    assert (await one(pds, PUBLISHER, did=PUBLISHER, plc=pds.url)).mend == checks.DIRECTORY
    assert (await one(pds, PUBLISHER, did=PUBLISHER, plc=f"http://127.0.0.1:{free_port()}")).mend == checks.DIRECTORY


async def test_a_service_on_this_machine_that_is_not_started_is_told() -> None:
    first, second = await checked(config(f"localhost:{free_port()}"), ["garden"])

    assert first.mend == second.mend == checks.NOT_STARTED


Looks = Callable[[str], Awaitable[Wrong]]


@pytest.fixture
def wrong() -> Looks:
    """What is wrong with a server, seen from outside: by its address, not as localhost."""

    async def looks(host: str) -> Wrong:
        with pytest.raises(Wrong) as caught:
            await look(host, "/.well-known/did.json", config("feeds.example.org"))
        return caught.value

    return looks


async def test_a_closed_port_is_told(wrong: Looks) -> None:
    assert (await wrong(f"https://127.0.0.1:{free_port()}")).mend == checks.CLOSED


async def test_a_name_without_a_dns_record_is_told(wrong: Looks) -> None:
    assert (await wrong("https://feeds.example.invalid")).mend == checks.DNS


async def test_a_server_without_tls_is_told(wrong: Looks, pds: Pds) -> None:
    assert (await wrong(f"https://127.0.0.1:{pds.port}")).mend == checks.NO_TLS


async def test_a_certificate_that_is_not_good_is_told(wrong: Looks, tmp_path: Path) -> None:
    async with tls_server(tmp_path) as port:
        caught = await wrong(f"https://127.0.0.1:{port}")

    assert caught.mend == checks.CERTIFICATE
    assert "certificate verify failed" in caught.answer


async def test_a_connection_that_breaks_off_is_told(wrong: Looks) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        assert (await wrong(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")).mend == checks.BROKEN


async def test_a_server_that_says_nothing_is_told(wrong: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listening:  # it is connected to, and nobody is there
        assert (await wrong(f"http://127.0.0.1:{listening.getsockname()[1]}")).mend == checks.SILENT


MENDS = {name: mend for name, mend in vars(checks).items() if name.isupper() and isinstance(mend, str) and " " in mend}


@pytest.mark.parametrize("name", MENDS)
def test_the_walk_through_explains_each_failure(name: str) -> None:
    assert len(MENDS) == 16
    assert re.split(r"[.:]", MENDS[name])[0] in (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")


@asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[int]:
    """A server with a certificate that it made itself; its port."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "feeds.example.org")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = made.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "pem").write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
