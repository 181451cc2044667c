"""`/labels/ID` and `/labels?uri=`: why a post has a label, for people and (`.json`) for programs. Who asked is nowhere kept."""

import asyncio
from typing import Any

import msgspec
from aiohttp import hdrs, web

from labeler import evidence
from labeler.evidence import Evidence
from labeler.measured import Measured, measured
from models import matters
from models.database import Session
from models.post import POST
from models.protocol.syntax import is_did, parse_at_uri
from plainsky.pages.answering import HTML, JSON, OPEN, Answers, Asker, page_headers
from plainsky.pages.asking import Asking, Cannot, asked
from plainsky.pages.site import Site
from plainsky.pages.why import RETRY, STATUS


class LabelPages:
    """The form, all labels of one post or account, one label."""

    def __init__(self, site: Site, answers: Answers, asking: Asking) -> None:
        self._site, self._answers, self._asking = site, answers, asking

    def routes(self) -> list[web.RouteDef]:
        """What is served; without a labeler there is nothing to tell."""
        if self._site.config.labeler is None:
            return []
        return [
            web.get("/labels", self.labels),
            web.get("/labels.json", self.labels_json),
            web.get(r"/labels/{id:\d{1,18}}", self.label),
            web.get(r"/labels/{id:\d{1,18}}.json", self.label_json),
        ]

    async def labels(self, request: web.Request) -> web.Response:
        """The form; with a post or an account, its labels below it."""
        asker, written = Asker(request), request.query.get("uri", "")
        found, problem = await self._of_uri(written) if written.strip() else ([], None)
        told = {"appeals": await self._site.database.read(matters.appeals_in_public), "precision": await self._precision()}
        body = self._answers.html(asker, "labels.html", written=written[:2048], labels=found, problem=problem, one=False, **told)
        return self._answers.once(body, HTML, page_headers(asker) | _retry(problem), _status(problem))

    async def labels_json(self, request: web.Request) -> web.Response:
        """The same as JSON."""
        found, problem = await self._of_uri(request.query.get("uri", ""))
        told: dict[str, Any] = {"error": problem} if problem else {"labels": found}
        told |= {"appeals": await self._site.database.read(matters.appeals_in_public), "precision": await self._precision()}
        return self._answers.once(msgspec.json.encode(told), JSON, OPEN | _retry(problem), _status(problem))

    async def label(self, request: web.Request) -> web.Response:
        """One label, by its number in the stream."""
        found = await self._of_label(request)
        asker = Asker(request)
        if found is None:
            return self._answers.once(self._answers.html(asker, "unknown.html"), HTML, page_headers(asker), 404)
        return self._answers.page(request, "labels.html", written="", labels=[found], problem=None, appeals=None, precision=(), one=True)

    async def label_json(self, request: web.Request) -> web.Response:
        """The same as JSON."""
        found = await self._of_label(request)
        if found is None:
            return self._answers.once(b'{"error":"unknown"}', JSON, OPEN, 404)
        return self._answers.versioned(request, msgspec.json.encode(found), JSON, OPEN, Asker(request).lang)

    async def _precision(self) -> list[Measured]:
        """How often each label was right, as far as people have judged it."""
        judge = self._site.rooms().judge
        return await asyncio.to_thread(measured, judge) if judge else []  # in a thread: the first time, models are read

    async def _of_label(self, request: web.Request) -> Evidence | None:
        return await self._site.database.read(self._read, evidence.of_label, int(request.match_info["id"]))

    async def _of_uri(self, written: str) -> tuple[list[Evidence], str | None]:
        """The labels, or why nothing can be said."""
        try:
            uri = await self._uri(written.strip())
        except Cannot as cannot:
            return [], str(cannot)
        return await self._site.database.read(self._read, evidence.of_uri, uri), None

    async def _uri(self, written: str) -> str:
        """What was written as a DID or an at-uri with one; Cannot."""
        if is_did(written):
            return written
        parsed = parse_at_uri(written) if len(written) <= 2_048 else None
        if parsed and parsed.rkey and is_did(parsed.authority):
            return written
        actor, rkey = asked(written)
        return f"at://{await self._asking.did(actor)}/{POST}/{rkey}"

    def _read(self, session: Session, which: Any, of: int | str) -> Any:
        config = self._site.config
        assert config.labeler
        return which(session, config.labeler_did, config.labeler.reports.reason_types, of, int(self._site.clock() * 1e6))


def _status(problem: str | None) -> int:
    return STATUS.get(problem, 200) if problem else 200


def _retry(problem: str | None) -> dict[str, Any]:
    return {hdrs.RETRY_AFTER: RETRY[problem]} if problem in RETRY else {}
