"""Work in the background that begins and ends together."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

log = logging.getLogger(__name__)


class Jobs:
    """Each job runs until it is cancelled; one that fails is told of, for nobody waits for it."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Let these run beside those that do."""
        for job in work:
            task = asyncio.create_task(job)
            task.add_done_callback(_tell_failure)
            self._tasks.append(task)

    async def stop(self) -> None:
        """End all of them, the last one first, and wait for their end."""
        tasks, self._tasks = self._tasks[::-1], []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("work in the background has ended: restart the service, and report this", exc_info=error)
