"""An account's repo at its PDS: read it, log in, write into it.

Reading needs no login. The password goes to the account's own PDS only, over TLS, never through a redirect, and into no message.
Sources: lexicons com.atproto.{server.createSession,repo.listRecords,repo.putRecord,repo.deleteRecord,repo.uploadBlob}.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import frozen

from plainsky.asking.did_documents import DidDocuments, NoSuchDid, Unresolved
from plainsky.config.errors import shown
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import Parameters, fetch
from plainsky.knowing.rechecking import Page
from plainsky.publishing.images import Image
from plainsky.publishing.xrpc import Refused, Unable, get, object_in, post

PAGES = 50


@frozen
class Standing:
    """A record as it stands in a repo."""

    cid: str
    value: dict[str, Any]


class NeedsCode(Unable):
    """The account asks for a code by mail at each login, and the mail is under way."""


class NoAccount(Exception):
    """The DID is no account's: the message says what was found."""


async def locate(did: str, plc: str) -> "Repo":
    """The repo of an account, by its DID document. NoAccount when it has none, Unable when nobody answers."""
    documents = DidDocuments(plc)
    try:
        document = await documents.get(did)
    except NoSuchDid as error:
        raise NoAccount(f"there is no such DID ({error})") from None
    except Unresolved as error:
        raise Unable(f"The document of {did} cannot be had: {error}. Is this machine online, and [identity] plc right?") from None
    endpoint = document.endpoint("#atproto_pds", "AtprotoPersonalDataServer")
    if endpoint is None:
        raise NoAccount("its DID document names no PDS (a service #atproto_pds)")
    try:
        return Repo(documents.outside.address(endpoint), did, document.handle or "an account without a handle")
    except ValueError:
        raise NoAccount(f"its DID document names the PDS {shown(endpoint)}, which is no public https address") from None


class Repo:
    """One account's repo at its PDS (`host`, an address). `login` comes before any writing."""

    def __init__(self, host: str, did: str, handle: str) -> None:
        self.host, self.did, self.handle = host, did, handle
        self._password = self._token = ""

    async def records(self, collection: str) -> dict[str, Standing]:
        """Every record of a collection, by rkey."""
        found: dict[str, Standing] = {}
        cursor = ""
        for _ in range(PAGES):
            asked: list[tuple[str, str | int]] = [("repo", self.did), ("collection", collection), ("limit", 100)]
            page = await _page(self.host, [*asked, *([("cursor", cursor)] if cursor else [])])
            found |= {record.uri.rpartition("/")[2]: Standing(record.cid, record.value) for record in page.records}
            cursor = page.cursor or ""
            if not page.records or not cursor:
                return found
        raise Unable(f"{self.host} holds more than {len(found)} records of {collection}: too many to compare")

    async def login(self, password: str, code: str = "") -> None:
        """With the account's password or, better, an app password; `code` is one that came by mail. NeedsCode when there must be one."""
        self._password = password
        body = msgspec.json.encode({"identifier": self.did, "password": password} | ({"authFactorToken": code} if code else {}))
        try:
            session = await post(self.host, "com.atproto.server.createSession", body, "application/json")
        except Refused as error:
            kind = NeedsCode if error.name == "AuthFactorTokenRequired" else Unable
            raise kind(_login_refused(error, self.host).replace(password, "...")) from None
        if session.get("active") is False:
            raise Unable(f"The account is not active ({shown(session.get('status'))}): sign in with the app and see what it says.")
        self._token = str(session.get("accessJwt", ""))

    async def put(self, collection: str, rkey: str, record: Mapping[str, Any], standing: Standing | None) -> str:
        """Write a record; its CID. Refused when meanwhile another one stands there than `standing`."""
        body = {"repo": self.did, "collection": collection, "rkey": rkey, "record": record, "swapRecord": standing and standing.cid}
        return str((await self._call("com.atproto.repo.putRecord", msgspec.json.encode(body))).get("cid"))

    async def delete(self, collection: str, rkey: str, standing: Standing) -> None:
        """Delete a record, if it is still the one that was read."""
        body = {"repo": self.did, "collection": collection, "rkey": rkey, "swapRecord": standing.cid}
        await self._call("com.atproto.repo.deleteRecord", msgspec.json.encode(body))

    async def upload(self, image: Image) -> dict[str, Any]:
        """A blob, to be named in a record within minutes: as the record must name it."""
        blob = (await self._call("com.atproto.repo.uploadBlob", image.content, image.mime)).get("blob")
        if not isinstance(blob, dict) or blob.get("ref") != image.blob["ref"]:
            raise Unable(f"{self.host} took {image.name} for another file than it is: {shown(blob)}")
        return blob

    async def call(self, nsid: str, body: bytes = b"", mime: str = "application/json") -> dict[str, Any]:
        """Any procedure, as the account; logs in once more when that was too long ago. Refused when the server says no."""
        try:
            return await post(self.host, nsid, body, mime, self._token)
        except Refused as error:
            if error.name != "ExpiredToken":
                raise
        await self.login(self._password)
        return await post(self.host, nsid, body, mime, self._token)

    async def ask(self, nsid: str) -> dict[str, Any]:
        """A query without parameters, as the account. Refused when the server says no."""
        status, body = await get(self.host, f"/xrpc/{nsid}", (), self._token)
        if status != 200:
            raise Refused(nsid, self.host, status, body)
        return object_in(body)

    async def _call(self, nsid: str, body: bytes, mime: str = "application/json") -> dict[str, Any]:
        try:
            return await self.call(nsid, body, mime)
        except Refused as error:
            raise Unable(_write_refused(error).replace(self._password, "...")) from None


async def resolve_handle(resolver: str, handle: str) -> str | None:
    """The DID of a handle; None when the resolver does not know it or does not answer."""
    try:
        status, body = await fetch(resolver.rstrip("/"), "/xrpc/com.atproto.identity.resolveHandle", [("handle", handle)], 10_000)
        return msgspec.json.decode(body, type=dict[str, str]).get("did") if status == 200 else None
    except (Disconnected, ValueError, RecursionError):
        return None


async def _page(host: str, parameters: Parameters) -> Page:
    status, body = await get(host, "/xrpc/com.atproto.repo.listRecords", parameters)
    if status != 200:
        raise Refused("com.atproto.repo.listRecords", host, status, body)
    try:
        return msgspec.json.decode(body, type=Page)
    except (ValueError, RecursionError):
        raise Unable(f"{host} answers com.atproto.repo.listRecords with something else than records") from None


def _login_refused(error: Refused, host: str) -> str:
    if error.name == "AuthFactorTokenRequired":
        return (
            "The account asks for a code by mail at each login. Use an app password instead, which needs none: in the app under"
            " Settings, Privacy and security, App passwords."
        )
    if error.name == "AccountTakedown":
        return f"{host} has taken the account down, so it cannot publish."
    if error.status == 429:
        return f"Too many logins: {_later(error.wait)}"
    if error.status in (400, 401):
        return (
            f"{host} refuses the password. Make a new app password in the app (Settings, Privacy and security, App passwords), for the"
            f" account that the config names. It said: {error}"
        )
    return str(error)


def _write_refused(error: Refused) -> str:
    if error.name == "InvalidSwap":
        return "The record has been changed by somebody else just now. Run this again, and see the difference anew."
    if error.status == 429:
        return f"The account has written too much for now: {_later(error.wait)}"
    if error.status == 401 or error.name in ("ExpiredToken", "InvalidToken"):
        return f"The login is not accepted any more. Run this again. ({error})"
    return str(error)


def _later(wait: float | None) -> str:
    when = "later" if wait is None else f"in {max(1, round(wait / 60))} min"
    return f"run this again {when}; what is done stays done."
