"""`https://plc.directory`, as programs find it that know no other: a proxy that leads there, to a directory of tests. Handles, too.

Such a program is started with `environment` (HTTPS_PROXY, and SSL_CERT_FILE with the certificate to trust); nothing of it is changed.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "plc.directory"


class Place(NamedTuple):
    """The environment of programs that look there, and what a server on localhost shows them that they shall trust."""

    environment: dict[str, str]
    context: ssl.SSLContext


@asynccontextmanager
async def over_tls(port: int, context: ssl.SSLContext) -> AsyncIterator[str]:
    """The address at which the service on this port speaks https, as behind a proxy."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def plc_directory(plc: str, handles: Mapping[str, str], folder: Path) -> AsyncIterator[Place]:
    """Where programs find the directory `plc` under that name, and the handles' DIDs at theirs; files are put into `folder`."""
    context = _certificates([NAME, "localhost", *handles], folder)
    async with aiohttp.ClientSession() as session:

        async def forward(request: web.Request) -> web.Response:
            if did := handles.get(request.host):
                return web.Response(text=did, status=200 if request.path == "/.well-known/atproto-did" else 404)
            async with session.get(plc + request.path_qs) as answer:
                return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

        app = web.Application()
        app.router.add_get("/{path:.*}", forward)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        proxy = await asyncio.start_server(lambda reader, writer: _connect(reader, writer, port, {NAME, *handles}), "127.0.0.1", 0)
        address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        try:
            yield Place(
                {"HTTPS_PROXY": address, "NO_PROXY": "localhost,127.0.0.1", "SSL_CERT_FILE": str(folder / "certificate.pem")}, context
            )
        finally:
            proxy.close()
            await runner.cleanup()


async def _connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, names: Container[str]) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if head.decode("ascii", "replace").removeprefix("CONNECT ").partition(":443 ")[0] not in names:
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        writer.close()
        return
    there, back = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


def _certificates(names: Sequence[str], folder: Path) -> ssl.SSLContext:
    """An authority, in a file, and what it certifies: these names."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ours = x509.BasicConstraints(ca=True, path_length=None)
    root = _built("Authority of a test", authority, authority, ours)
    leaf = _built(NAME, key, authority, x509.SubjectAlternativeName([x509.DNSName(name) for name in names]))
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(root.public_bytes(pem))
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem", folder / "key.pem")
    return context


def _built(name: str, key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey, more: x509.ExtensionType) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("Authority of a test"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(more, critical=isinstance(more, x509.BasicConstraints))
        .sign(authority, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
