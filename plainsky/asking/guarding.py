"""Requests to addresses that strangers wrote, in their DID or their DID document: never into a private network.

Promises: the name is looked up here, and only addresses of the public internet that it stands for are connected to; no redirect is
followed; whatever the other side does costs bounded time and memory. Where the environment names a proxy for the address, the proxy
connects, and is itself the guard. A network that is all on this machine (tests) is let through.
Source: atproto.com/specs/sync ("Security"), atproto.com/specs/did; address ranges: the IANA special-purpose registries (RFC 6890).
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Thread
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from models.protocol.syntax import is_handle
from plainsky import __version__
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import Parameters, body_of, url

NOT_PUBLIC = frozenset({"localhost", "local", "internal", "arpa"})
"""Ends of names that mean something else on each network (RFC 6761, RFC 6762, RFC 8375)."""
LOOKUPS_AT_ONCE = 16
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_GLOBAL = tuple(ip_network(block) for block in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"))
"""What `is_global` lets pass in one Python or another: protocol assignments, relays and tunnels to any IPv4 address, documentation."""
_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")

_Found: TypeAlias = "list[tuple[Any, ...]] | Exception"


class Outside:
    """Asks servers that strangers named. `local`: all of the network is on this machine, and nothing is guarded."""

    def __init__(self, local: bool = False) -> None:
        self.local = local
        self._resolver = PublicResolver()

    @classmethod
    def of(cls, directory: str) -> "Outside":
        """As the PLC directory is: where that is on this machine, so may be all others."""
        return cls(urlsplit(directory).hostname in _LOCAL)

    def address(self, endpoint: str) -> str:
        """Scheme, name and port of an endpoint. ValueError unless it is over TLS and has a public name."""
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        public = parts.scheme == "https" and is_handle(host) and host.rpartition(".")[2] not in NOT_PUBLIC and "@" not in parts.netloc
        if not public and not (self.local and parts.scheme in ("http", "https")):
            raise ValueError("no public https address")
        return f"{parts.scheme}://{parts.netloc}"

    async def get(self, endpoint: str, path: str, parameters: Parameters, limit: int, seconds: float) -> tuple[int, bytes]:
        """HTTP status and body (cut at `limit` bytes) of a GET. ValueError: not an address to ask. Disconnected: no answer."""
        host = self.address(endpoint)
        asked = url(host, path, parameters, "http")
        try:
            async with asyncio.timeout(seconds), self.session(host) as session, session.get(asked, allow_redirects=False) as answer:
                return answer.status, await body_of(answer, limit)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Disconnected(f"no answer: {error or type(error).__name__}"[:200]) from error

    def session(self, host: str) -> aiohttp.ClientSession:
        """A client session for a server whose `address` this is."""
        parts = urlsplit(host)
        proxied = parts.scheme in getproxies() and not proxy_bypass(parts.netloc)
        unguarded = self.local or proxied
        connector = None if unguarded else aiohttp.TCPConnector(resolver=self._resolver, use_dns_cache=False, force_close=True)
        return aiohttp.ClientSession(connector=connector, headers={"User-Agent": f"plainsky/{__version__}"}, trust_env=unguarded)


class PublicResolver(AbstractResolver):
    """Names to addresses of the public internet, for aiohttp, which connects to what it is told here and nothing else."""

    def __init__(self) -> None:
        self._looking = 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The public addresses of a name; OSError when it has none."""
        found = await self._looked_up(host, port, family)
        if isinstance(found, Exception):
            raise OSError(None, "the name cannot be looked up") from found
        public = [one for one in _results(host, port, found) if is_public(one["host"])]
        if not public:
            raise OSError(None, "the name stands for no address on the public internet")
        return public

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _looked_up(self, host: str, port: int, family: socket.AddressFamily) -> _Found:
        """In a thread of its own that nobody waits for at the end: whoever owns the name may let it hang."""
        if self._looking >= LOOKUPS_AT_ONCE:
            raise OSError(None, "too many names are being looked up")
        loop = asyncio.get_running_loop()
        told: asyncio.Future[_Found] = loop.create_future()

        def tell(found: _Found) -> None:
            self._looking -= 1
            if not told.done():
                told.set_result(found)

        def look() -> None:
            try:
                found: _Found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            except (OSError, UnicodeError) as error:
                found = error
            with contextlib.suppress(RuntimeError):  # the loop was closed
                loop.call_soon_threadsafe(tell, found)

        Thread(target=look, name="look-up", daemon=True).start()
        self._looking += 1
        return await told


def is_public(address: str) -> bool:
    """Whether an IP address is a host's on the public internet; one that carries an IPv4 address inside is judged by that."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        ip = _within(ip)
    if isinstance(ip, IPv6Address) and ip not in _UNICAST:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in block for block in _NOT_GLOBAL)


def _within(ip: IPv6Address) -> IPv4Address | IPv6Address:
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    assert isinstance(_NAT64, IPv6Network)
    return IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else ip


def _results(host: str, port: int, found: Iterable[tuple[Any, ...]]) -> Iterable[ResolveResult]:
    for family, _, proto, _, address in found:
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        yield ResolveResult(hostname=host, host=str(address[0]), port=port, family=family, proto=proto, flags=flags)
