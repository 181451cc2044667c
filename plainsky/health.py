"""Whether the service does its work: the database answers, events keep coming, the signing key signs."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from models.database import Database


class Report(msgspec.Struct, frozen=True):
    """`parts` as shown by /_health: each with `ok` and what there is to say."""

    well: bool
    parts: dict[str, Any]


class Health:
    """Checks are made when asked for.

    `silent_after` is how many seconds may pass without a word from the source, `first_after` how many before its first one.
    """

    def __init__(
        self,
        database: Database,
        lag: Callable[[], float],
        signs: Callable[[], bool] | None = None,
        silent_after: float = 300.0,
        first_after: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._lag, self._signs = database, lag, signs
        self._silent_after, self._first_after, self._clock = silent_after, first_after, clock
        self._started, self._heard = clock(), 0.0
        self._ever = False
        self.reads_source = True
        self.also: dict[str, Callable[[], Mapping[str, Any] | None]] = {}
        """Parts that there is something to say of, if they give something; each with `ok`."""

    def heard(self) -> None:
        """The source said something that was stored."""
        self._heard, self._ever = self._clock(), True

    async def report(self) -> Report:
        """The state of each part."""
        parts: dict[str, Any] = {"database": await self._database_part()}
        if self.reads_source:
            parts["ingest"] = self._ingest_part()
        if self._signs:
            parts["signingKey"] = {"ok": self._signs()}
        parts |= {name: part for name, told in self.also.items() if (part := told()) is not None}
        well = all(part["ok"] for part in parts.values())
        return Report(well, {"status": "ok" if well else "failing", **parts})

    def _ingest_part(self) -> dict[str, Any]:
        silent = self._clock() - (self._heard if self._ever else self._started)
        lag = self._lag()
        part = {
            "ok": silent < (self._silent_after if self._ever else self._first_after),
            "lagSeconds": round(lag, 1) if lag or self._ever else None,
            "silentSeconds": round(silent, 1),
        }
        if part["ok"]:
            return part
        return part | {"why": "the source has fallen silent" if self._ever else "the source has not been heard since the start"}

    async def _database_part(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(5):
                await self._database.read(lambda session: session.execute("SELECT 1"))
        except Exception as error:
            return {"ok": False, "why": type(error).__name__}
        return {"ok": True} if self._database.writes else {"ok": False, "why": "nothing can be written"}
