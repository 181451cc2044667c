"""`/changes`: the log of changes, for people, and (`/changes.json`) whole, for whoever wants to check its chain of hashes."""

import msgspec
from aiohttp import web

from models import changes
from models.changes import Head, Logged
from models.database import Session
from plainsky.pages.answering import JSON, OPEN, Answers, Asker
from plainsky.pages.retelling import lines
from plainsky.pages.site import Site

ON_PAGE = 20


class ChangesPages:
    """The page and the whole log."""

    def __init__(self, site: Site, answers: Answers) -> None:
        self._site, self._answers = site, answers

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [web.get("/changes", self.changes), web.get("/changes.json", self.changes_json)]

    async def changes(self, request: web.Request) -> web.Response:
        """The newest changes, or those before the one of the number `before`."""
        head, found = await self._site.database.read(_read, _number(request.query.get("before", "")))
        shown, more = found[:ON_PAGE], found[ON_PAGE:]
        names = {feed.rkey for _, feed in self._site.numbered()}
        lang = Asker(request).lang
        told = [(change, lines(change, lang)) for change in shown]
        return self._answers.page(
            request, "changes.html", head=head, shown=told, older=shown[-1].seq if more else None, rkeys=names, site=self._site
        )

    async def changes_json(self, request: web.Request) -> web.Response:
        """Every entry, the oldest first, each with its hash and that of the one before it."""
        log = await self._site.database.read(changes.all_of)
        return self._answers.versioned(request, msgspec.json.encode({"changes": log}), JSON, OPEN, Asker(request).lang)


def _read(session: Session, before: int | None) -> tuple[Head, list[Logged]]:
    return changes.head(session), changes.read(session, before, ON_PAGE + 1)


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else None
