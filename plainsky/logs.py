"""Logs on standard error, as text or as one JSON object a line. Nothing personal goes into them: no reader, no text, no token."""

import logging
import sys
import time

import msgspec

from plainsky.config.schema import Log

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up_logging(config: Log) -> None:
    """Send this process's logs to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if config.format == "json" else _Text())
    logging.basicConfig(level=config.level.upper(), handlers=[handler], force=True)
    for noisy in ("apscheduler", "asyncio", "aiohttp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # What a stranger types wrong is told with his address, and with a traceback.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _OWN}


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{key}={value}" for key, value in _extra(record).items())
        return super().format(record) + (f" ({extra})" if extra else "")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(), **_extra(record)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()
