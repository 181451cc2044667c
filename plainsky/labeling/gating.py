"""The precision gate of a running service: what people judge blind holds within seconds, both ways, and is told in log and metrics."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeGuard

from labeler.gate import Gate, judged
from labeler.judge import Judge
from labeler.measured import Measured, measured
from models.database import Database
from plainsky.metrics import Metrics
from plainsky.patience import for_ever

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


class GateKeeper:
    """Keeps `gate` in step with the database. `judge` gives what labels are judged by at the moment."""

    def __init__(self, database: Database, gate: Gate, judge: Callable[[], Judge | None], metrics: Metrics) -> None:
        self._database, self._gate, self._judge = database, gate, judge
        self._measured: Sequence[Measured] = ()
        self._told: dict[tuple[str, str], bool] = {}
        self._watched_by(metrics)

    def _watched_by(self, metrics: Metrics) -> None:
        by = ("label", "language")
        text = "The lower end of the 95 % interval of the share of what the label covers that people, asked blind, found right."
        metrics.watch_by_all("plainsky_label_precision_low", text, by, lambda: {_of(one): one.low for one in self._measured})
        text = "Blind judgements of what the rules of today found."
        metrics.watch_by_all("plainsky_label_judgements", text, by, lambda: {_of(one): one.judgements for one in self._measured})
        text = "1 where a label in mode auto keeps its promise, 0 where it has fallen back to people."
        metrics.watch_by_all("plainsky_label_gate_open", text, by, lambda: {_of(one): not one.is_missed for one in self._gated()})

    async def prepare(self) -> None:
        """Know what people judged so far, before anything is judged by it."""
        if _measurable(self._judge()):
            self._gate.sample = await self._database.read(judged)

    async def run(self) -> None:
        """Until cancelled."""
        await for_ever(self.once, LOOK_SECONDS)

    async def once(self) -> None:
        """Look at what people judged, and tell what that changes."""
        judge = self._judge()
        if not _measurable(judge):
            self._measured, self._told = (), {}
            return
        await self.prepare()
        self._measured = await asyncio.to_thread(measured, judge)  # beside the loop: it may read models
        self._tell()

    def _tell(self) -> None:
        told, self._told = self._told, {_of(one): one.is_missed for one in self._gated()}
        for one in self._gated():
            if told.get(_of(one)) == one.is_missed:
                continue
            if one.is_missed:
                log.warning('the label falls back to "review", and what was issued stays: %s', one.reason)
            else:
                log.info("the machine gives the label by itself: %s", one.reason)

    def _gated(self) -> Sequence[Measured]:
        return [one for one in self._measured if one.mode == "auto"]


def _measurable(judge: Judge | None) -> TypeGuard[Judge]:
    return judge is not None and any(not policy.is_test for policy in judge.policies)


def _of(one: Measured) -> tuple[str, str]:
    return one.value, one.language
