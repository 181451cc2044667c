"""Whether what somebody reports exists: as stored here, else as the AppView or the account's DID says.

Promise: all who report together cause a bounded number of questions, and the same question is not asked twice within minutes
(`plainsky.pages.asking`, `plainsky.asking.did_documents`).
"""

from labeler.reports import Subject
from models import looking
from models.database import Database
from models.post import POST
from models.protocol.syntax import is_did, parse_at_uri
from plainsky.asking.did_documents import DidDocuments, NoSuchDid, Unresolved
from plainsky.config.schema import Config
from plainsky.pages.asking import Asking, Cannot


class Subjects:
    """`exists` is the labeler's `Exists`."""

    def __init__(self, config: Config, database: Database, documents: DidDocuments) -> None:
        self._database, self._documents = database, documents
        self._asking = Asking(config, database)

    async def exists(self, subject: Subject) -> bool | None:
        """None when nobody can say now. Of records other than posts only the account is looked at."""
        parsed = None if is_did(subject.uri) else parse_at_uri(subject.uri)
        if parsed is None or parsed.collection != POST:
            there = await self._account(subject.author)
            return there if parsed is None or there is False else None
        assert parsed.rkey
        stored = await self._database.read(looking.stored, parsed.authority, parsed.rkey)
        if stored is not None:
            return not stored.deleted
        try:
            await self._asking.post(parsed.authority, parsed.rkey)
        except Cannot as cannot:
            return False if str(cannot) == "gone" else None
        return True

    async def _account(self, did: str) -> bool | None:
        try:
            await self._documents.get(did)
        except NoSuchDid:
            return False
        except Unresolved:
            return None
        return True
