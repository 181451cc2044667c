"""The one HTTP server: what both rooms serve, health, metrics, and manners.

Promises: every answer to a request under /xrpc/ is in XRPC shape, errors too, and never tells what went wrong inside (what is no HTTP,
or has a line of more than 32 KiB, is turned away before it is a request, in plain text); no request is logged with who
made it; pages carry a strict content policy and set no cookie.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import hdrs, web

from models.protocol.xrpc import XrpcError
from plainsky.health import Health
from plainsky.metrics import Metrics
from plainsky.patience import AWAY

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEALTH = web.AppKey("health", Health)
METRICS = web.AppKey("metrics", Metrics)

LINE_BYTES = 32 * 1024
"""Of a request's first line, and of each header: room for queryLabels about some hundred posts."""

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(health: Health, metrics: Metrics, routes: Iterable[web.AbstractRouteDef]) -> web.Application:
    """The application; `routes` are the rooms' and the pages'."""
    app = web.Application(middlewares=[manners], client_max_size=256 * 1024)
    app[HEALTH], app[METRICS] = health, metrics
    app.add_routes([web.get("/_health", get_health), web.get("/metrics", get_metrics), *routes])
    return app


PREFLIGHT_HEADERS = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, HEAD, POST",
    # "*" does not mean "authorization" (Fetch standard). Clients like @atproto/api send headers of the protocol with every request.
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "authorization, *",
    hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
}


@web.middleware
async def manners(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors in the shape their readers expect, and one count a request. A browser that asks first whether it may is told that it may."""
    if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers and request.path.startswith("/xrpc/"):
        return web.Response(status=204, headers=PREFLIGHT_HEADERS)
    try:
        response = await handler(request)
    except XrpcError as error:
        response = xrpc_error(error)
    except web.HTTPException as error:
        response = _http_error(request, error)
    except AWAY as error:  # many requests fail so at once: a line each, and not where in the code that was
        log.error("a request failed, the database does not answer: %s: %s", _route(request), error)
        response = _failed(request, XrpcError(503, "ServiceUnavailable", "Our database does not answer. Please try again in a minute."))
        response.headers[hdrs.RETRY_AFTER] = "60"
    except Exception:
        log.exception("a request failed: %s", _route(request))
        response = _failed(request, XrpcError(500, "InternalServerError", "Something went wrong on our side. Please try again later."))
    if response.status != 101:
        request.app[METRICS].request(_route(request), response.status)
    return response


def xrpc_error(error: XrpcError) -> web.Response:
    """An error as XRPC says it; readable from any web page."""
    headers = {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"}
    if error.status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"  # RFC 9110, section 11.6.1
    return web.Response(status=error.status, body=error.body(), content_type="application/json", headers=headers)


def _failed(request: web.Request, error: XrpcError) -> web.Response:
    """Our fault, told to a program or to a person."""
    return xrpc_error(error) if request.path.startswith("/xrpc/") else web.Response(status=error.status, text=error.message)


def _http_error(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if not request.path.startswith("/xrpc/") or error.status < 400:
        kept = {header: error.headers[header] for header in (hdrs.ALLOW, hdrs.LOCATION) if header in error.headers}
        return web.Response(status=error.status, text=error.reason, headers=kept)
    if error.status == 404:
        return xrpc_error(XrpcError(501, "MethodNotImplemented", "This service does not have that method."))
    what = f"This method is called with {error.headers[hdrs.ALLOW]}." if hdrs.ALLOW in error.headers else error.text or error.reason
    response = xrpc_error(XrpcError(error.status, _NAMES.get(error.status, "InvalidRequest"), what))
    for header in (hdrs.ALLOW, hdrs.UPGRADE, hdrs.RETRY_AFTER):
        if header in error.headers:
            response.headers[header] = error.headers[header]
    return response


_NAMES = {405: "MethodNotAllowed", 413: "PayloadTooLarge", 426: "UpgradeRequired", 429: "RateLimitExceeded"}


def _route(request: web.Request) -> str:
    """The route as registered, never the address as typed: what a stranger types must not become a metric's name."""
    resource = request.match_info.route.resource
    return resource.canonical.removeprefix("/xrpc/") if resource else "unknown"


async def get_health(request: web.Request) -> web.Response:
    """Each part's state; 503 when one fails."""
    report = await request.app[HEALTH].report()
    return web.json_response(report.parts, status=200 if report.well else 503)


async def get_metrics(request: web.Request) -> web.Response:
    """For Prometheus."""
    metrics = request.app[METRICS]
    return web.Response(body=metrics.text(), headers={hdrs.CONTENT_TYPE: metrics.content_type})
