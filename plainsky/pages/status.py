"""`/status`, and `/status.json` for programs: how the service fares. No number is about a reader: requests are not among what is told."""

import platform
from collections.abc import Iterator
from typing import NamedTuple

import aiohttp
import msgspec
from aiohttp import web

from models import cursors, looking
from models.cursors import Gap
from models.database import Session
from models.duration import duration
from models.looking import ReadList, Stream
from models.protocol.syntax import format_datetime
from plainsky import __version__
from plainsky.knowing.labelers import stream_of
from plainsky.pages.answering import JSON, OPEN, Answers, Asker
from plainsky.pages.facts import KnownGap, gap_of
from plainsky.pages.languages import Language
from plainsky.pages.site import Site, public_host

TOLD = duration("4w")
"""Gaps are told for so long."""
MOST_GAPS = 100
VERSIONS = {"Plainsky": __version__, "Python": platform.python_version(), "aiohttp": aiohttp.__version__}
_COUNTERS = {"plainsky_events": "stored", "plainsky_dropped": "dropped", "plainsky_connections": "connected"}


class Stored(NamedTuple):
    """What the database knows; `version` is its name and its own."""

    log_time: int
    version: tuple[str, str]
    sources: list[Stream]
    labelers: list[Stream]
    lists: list[ReadList]
    gaps: list[Gap]


class Source(msgspec.Struct, frozen=True, rename="camel"):
    """A host: up to when it is stored, and whether it is the one in use."""

    host: str
    stored_to: str
    in_use: bool


class StatusFacts(msgspec.Struct, frozen=True, rename="camel"):
    """`/status.json`. `lag_seconds` is null before the first event; `unread` are lists that could not be read yet, by at-uri."""

    source: str
    log_time: str | None
    lag_seconds: float | None
    sources: tuple[Source, ...]
    gaps: tuple[KnownGap, ...]
    unread: tuple[str, ...]
    versions: dict[str, str]


class StatusPage:
    """The page."""

    def __init__(self, site: Site, answers: Answers) -> None:
        self._site, self._answers = site, answers

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [web.get("/status", self.status), web.get("/status.json", self.status_json)]

    async def status(self, request: web.Request) -> web.Response:
        """The page."""
        site, lang = self._site, Asker(request).lang
        known = await site.database.read(stored)
        return self._answers.page(
            request,
            "status.html",
            site=site,
            stored=known,
            unread=self._unread(known),
            counted=list(self._counted(lang)),
            up=lang.about(site.clock() - site.started),
            versions=VERSIONS,
            now=site.clock() * 1e6,
        )

    async def status_json(self, request: web.Request) -> web.Response:
        """The same for programs."""
        site, known = self._site, await self._site.database.read(stored)
        facts = StatusFacts(
            source=site.source,
            log_time=format_datetime(known.log_time) if known.log_time else None,
            lag_seconds=round(site.clock() - known.log_time / 1e6, 1) if known.log_time else None,
            sources=tuple(Source(each.host, format_datetime(each.time_us), each.current) for each in known.sources),
            gaps=tuple(map(gap_of, known.gaps)),
            unread=tuple(self._unread(known)),
            versions={**VERSIONS, known.version[0]: known.version[1]},
        )
        return self._answers.versioned(request, msgspec.json.encode(facts), JSON, OPEN, Asker(request).lang)

    def _unread(self, known: Stored) -> list[str]:
        return sorted(self._site.rooms().lists - {each.uri for each in known.lists})

    def _counted(self, lang: Language) -> Iterator[tuple[str, int]]:
        """What happened since the start, and how often."""
        for family in self._site.metrics.registry.collect():
            for sample in family.samples:
                key = _COUNTERS.get(family.name)
                if key and sample.name.endswith("_total"):
                    named = {name: lang.known(f"event.{value}", public_host(value)) for name, value in sample.labels.items()}
                    yield lang(f"status.{key}", **named), int(sample.value)


def stored(session: Session) -> Stored:
    """What the database knows of sources, labelers and lists."""
    log_time = cursors.log_time(session)
    followed = stream_of("")
    streams = looking.streams(session)
    return Stored(
        log_time,
        looking.version(session),
        [stream._replace(host=public_host(stream.host)) for stream in streams if stream.time_us],
        [stream._replace(host=stream.host.removeprefix(followed)) for stream in streams if stream.host.startswith(followed)],
        looking.read_lists(session),
        [gap._replace(host=public_host(gap.host)) for gap in cursors.gaps(session, log_time - TOLD)[-MOST_GAPS:][::-1]],
    )
