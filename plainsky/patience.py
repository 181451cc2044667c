"""What to do while the database is away: wait, and ask again for ever. Its operator is mending it; nothing is lost meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Never, ParamSpec, TypeVar

import peewee

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

AWAY = (peewee.OperationalError, peewee.InterfaceError)
"""What the drivers raise when a database does not answer. Errors of our own making are others, and are not waited out."""
LONGEST = 10.0


async def for_ever(ask: Callable[[], Awaitable[object]], seconds: float) -> Never:
    """Ask, patiently, and again so many seconds after each answer, until cancelled."""
    while True:
        await patiently(ask)
        await asyncio.sleep(seconds)


async def patiently(ask: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer of `ask`, as soon as the database gives one."""
    pause = 0.2
    while True:
        try:
            return await ask(*args, **kwargs)
        except AWAY as error:
            log.error("the database does not answer, asked again in %.1f s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)
