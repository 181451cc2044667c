"""Follows the lists and starter packs that rules and `[opt_out]` name: reads them again and again, and lets the feeds follow what changed.

Promise: the last good copy counts, from the start on, until a newer one could be read. How old it is stands in the metrics and on the
status page.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Collection, Mapping

from models.database import Database
from models.duration import Duration
from models.lists import Copy
from plainsky.asking.appview import Unreadable, read_list
from plainsky.patience import patiently
from plainsky.pipeline.learning import learn, list_read
from plainsky.pipeline.storing import Outcome, Storer

log = logging.getLogger(__name__)

FIRST_PAUSE = 10.0
"""Seconds after which a list that could not be read is tried again; then twice that, up to the usual time."""


class Lists:
    """Reads every `refresh` from `appview` the lists that rules name, and those of `opting_out`: who is on one of these is in no feed."""

    def __init__(
        self,
        database: Database,
        storer: Storer,
        appview: str,
        refresh: Duration,
        opting_out: Collection[str],
        committed: Callable[[Outcome], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._storer, self._committed, self._clock = database, storer, committed, clock
        self._appview, self._refresh = appview, refresh / 1e6
        self._opting_out = frozenset(opting_out)
        self.wanted = sorted(storer.rooms.lists | self._opting_out)
        self._read_at = {uri: copy.read_at / 1e6 for uri, copy in storer.rooms.known.lists.items()}
        self._due = dict.fromkeys(self.wanted, 0.0)
        self._pauses = dict.fromkeys(self.wanted, FIRST_PAUSE)

    def ages(self) -> Mapping[str, float]:
        """By at-uri, how many seconds ago each list was read; infinite when it never was."""
        now = self._clock()
        return {uri: now - self._read_at[uri] if uri in self._read_at else math.inf for uri in self.wanted}

    async def run(self) -> None:
        """Until cancelled."""
        while self.wanted:
            await self.once()
            await asyncio.sleep(max(0.0, min(self._due.values()) - self._clock()))

    async def once(self) -> None:
        """Read the lists that are due, one after the other."""
        for uri in self.wanted:
            if self._due[uri] <= self._clock():
                await self._read(uri)

    async def _read(self, uri: str) -> None:
        began = self._clock()
        try:
            name, members = await read_list(self._appview, uri)
        except Unreadable as error:
            pause = min(self._pauses[uri], self._refresh)
            self._due[uri], self._pauses[uri] = began + pause, pause * 2
            log.warning("the list %s cannot be read, asked again in %.0f s; its last copy counts: %s", uri, pause, error)
            return
        self._due[uri], self._pauses[uri] = began + self._refresh, FIRST_PAUSE
        await self._follow(Copy(uri, name, int(began * 1e6), members))
        self._read_at[uri] = began

    async def _follow(self, copy: Copy) -> None:
        rooms, informed = self._storer.rooms, None
        if copy.uri in rooms.lists and rooms.known.members(copy.uri) != copy.members:
            informed = await asyncio.to_thread(rooms.with_list, copy)
        news = patiently(learn, self._database, self._storer, list_read, copy, informed, copy.uri in self._opting_out)
        self._committed(await news)
