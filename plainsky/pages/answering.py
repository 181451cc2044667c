"""How a page is answered: in the reader's language, with its version (ETag, Last-Modified), under a strict content policy.

Promises: an intermediary or browser may keep an answer, and asks before it shows it again, so that what was deleted is not shown. Nothing
is kept of who asked: the language comes with each request.
Source: RFC 9110, sections 8.8 and 13; RFC 9111, section 5.2.2.4.
"""

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from aiohttp import hdrs, web

from plainsky import __version__
from plainsky.http import PAGE_HEADERS
from plainsky.pages.languages import FALLBACK, Language, chosen, languages

KEPT = 2_000
LONGEST = 2_048
"""Characters of what a reader asked that are told again."""
_EMPTY_LINES = re.compile(r"\s*\n\s*\n\s*")
_VARY = "Accept-Language, Accept-Encoding"
LABELS = "/labels"
MENU = {"/": "feeds", "/why": "why", LABELS: "labels", "/changes": "changes", "/status": "status"}
"""The pages that every page links to, each with the key of its name."""
HTML = "text/html"
JSON = "application/json"
OPEN = {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*", "X-Content-Type-Options": "nosniff"}


class Asker:
    """What a request says of how its answer should look: nothing else of who asks is ever read."""

    def __init__(self, request: web.Request) -> None:
        picked = request.query.get("lang")
        self.picked = picked if picked in languages() else None
        """The language that the reader chose by a link, which stays in all links."""
        self.lang = chosen(self.picked, request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        self.path = request.path
        self._query = {key: value[:LONGEST] for key, value in request.query.items() if key in ("uri", "watch", "before")}

    def link(self, path: str, **query: str) -> str:
        """An address here, in the language that was chosen."""
        asked = {**query, **({"lang": self.picked} if self.picked else {})}
        return f"{path}?{urlencode(asked)}" if asked else path

    def in_language(self, code: str) -> str:
        """This page in another language."""
        path = quote("/" + self.path.lstrip("/"))  # two slashes would lead to another host
        return f"{path}?{urlencode({**self._query, 'lang': code})}"


class Answers:
    """Renders pages, and remembers which version of each was told when."""

    def __init__(self, clock: Callable[[], float] = time.time, labels: bool = False) -> None:
        """labels: there is a labeler, whose page belongs into the menu."""
        folder = files("plainsky.pages")
        self._style = (folder / "static" / "style.css").read_bytes()
        self._icon = (folder / "static" / "icon.svg").read_bytes()
        self._stamp = _digest(self._style)[:12]
        self._versions: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._clock, self._menu = clock, MENU if labels else {path: key for path, key in MENU.items() if path != LABELS}

    def routes(self) -> list[web.RouteDef]:
        """What stands still, and what is said of all other addresses: to be added last."""
        return [
            web.get("/style.css", self._static(self._style, "text/css")),
            web.get("/icon.svg", self._static(self._icon, "image/svg+xml")),
            web.get("/{elsewhere:(?!xrpc/|[.]well-known/).*}", self._elsewhere),
        ]

    def page(self, request: web.Request, template: str, **values: Any) -> web.Response:
        """A page from a template, in the reader's language."""
        asker = Asker(request)
        return self.versioned(request, self.html(asker, template, **values), HTML, page_headers(asker), asker.lang)

    def html(self, asker: Asker, template: str, **values: Any) -> bytes:
        """A page from a template."""
        page = _templates().get_template(template)
        html = page.render(
            t=asker.lang,
            asker=asker,
            languages=languages(),
            fallback=FALLBACK,
            stamp=self._stamp,
            menu=self._menu,
            version=__version__,
            **values,
        )
        return html.encode()

    def versioned(self, request: web.Request, body: bytes, content_type: str, headers: Mapping[str, str], lang: Language) -> web.Response:
        """An answer with its version; 304 without a body when the reader has it already."""
        etag = f'W/"{_digest(body)[:32]}"'  # weak: the bytes may come compressed
        changed = self._changed(f"{request.path} {lang.code}", etag)
        told = {**headers, hdrs.ETAG: etag, hdrs.LAST_MODIFIED: formatdate(changed, usegmt=True), hdrs.CACHE_CONTROL: "no-cache"}
        if _has(request, etag, changed):
            return web.Response(status=304, headers={**told, hdrs.VARY: _VARY})
        return _answer(body, content_type, told)

    def once(self, body: bytes, content_type: str, headers: Mapping[str, str], status: int = 200) -> web.Response:
        """An answer to one reader's question, which nobody keeps."""
        return _answer(body, content_type, {**headers, hdrs.CACHE_CONTROL: "no-store"}, status)

    def unknown(self, asker: Asker, what: str) -> web.Response:
        """There is none of `what` (a part of the texts) at this address."""
        return self.once(self.html(asker, "unknown.html", what=what), HTML, page_headers(asker), 404)

    async def _elsewhere(self, request: web.Request) -> web.Response:
        """No page is here."""
        return self.unknown(Asker(request), "site")

    def _changed(self, name: str, etag: str) -> float:
        """Since when (seconds) this is the version that is told."""
        known = self._versions.pop(name, None)
        kept = known if known and known[0] == etag else (etag, self._clock())
        self._versions[name] = kept
        if len(self._versions) > KEPT:
            self._versions.popitem(last=False)
        return kept[1]

    def _static(self, body: bytes, content_type: str) -> Callable[[web.Request], Any]:
        async def static(_request: web.Request) -> web.Response:
            headers = {hdrs.CACHE_CONTROL: "max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
            return web.Response(body=body, content_type=content_type, headers=headers)

        return static


@cache
def _templates() -> jinja2.Environment:
    """One a process: each page's template is compiled once."""
    folder = files("plainsky.pages") / "templates"
    loader = jinja2.FunctionLoader(lambda name: (folder / name).read_text("utf-8"))
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["calm"] = calm
    return environment


def calm(text: str) -> str:
    """A post's text, without the empty lines that push everything else off the screen."""
    return _EMPTY_LINES.sub("\n\n", text)


def page_headers(asker: Asker) -> dict[str, str]:
    """What every page says of itself."""
    return {**PAGE_HEADERS, hdrs.CONTENT_LANGUAGE: asker.lang.code}


def _answer(body: bytes, content_type: str, headers: Mapping[str, str], status: int = 200) -> web.Response:
    charset = None if content_type.endswith("json") else "utf-8"
    told = {**headers, hdrs.VARY: _VARY}
    response = web.Response(body=body, status=status, content_type=content_type, charset=charset, headers=told)
    if len(body) > 2_000:
        response.enable_compression()
    return response


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _has(request: web.Request, etag: str, changed: float) -> bool:
    if (known := request.headers.get(hdrs.IF_NONE_MATCH)) is not None:
        return known.strip() == "*" or etag in map(str.strip, known.split(","))
    since = request.headers.get(hdrs.IF_MODIFIED_SINCE)
    try:
        return since is not None and int(changed) <= parsedate_to_datetime(since).timestamp()
    except (TypeError, ValueError):
        return False
