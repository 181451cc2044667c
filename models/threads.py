"""Threads that run one job after the other, and hand results back to an event loop at little cost.

What is asked in one turn of the loop goes over together, and the loop is woken once for all results that are there: threads take turns
instead of fighting for the interpreter's lock at every row. `concurrent.futures` with `asyncio.wrap_future` costs 15 µs more a job.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
_Asked: TypeAlias = "tuple[Callable[[], Any], asyncio.Future[Any]]"


class Threads:
    """Up to `count` threads, each started when those before it are busy. `leave` runs in each of them at the end.

    Who reads now and then so keeps to one connection, whose server knows tables and statements already.
    """

    def __init__(self, count: int, name: str, leave: Callable[[], object]) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._leave = leave
        self._count, self._name = count, name
        self._threads: list[Thread] = []
        self._under_way = 0
        self._counting = Lock()
        self._closed = False
        self._lane: _Lane | None = None

    def run(self, job: Callable[[], T]) -> T:
        """The result of the job; waits for it."""
        results: list[T] = []
        errors: list[BaseException] = []
        done = Lock()  # a third of what a Future costs
        done.acquire()

        def settle() -> None:
            try:
                results.append(job())
            except BaseException as error:
                errors.append(error)
            done.release()

        self._put(settle)
        done.acquire()
        if errors:
            raise errors.pop()
        return results.pop()

    def ask(self, job: Callable[[], T]) -> "asyncio.Future[T]":
        """The future result of the job, in the running loop."""
        loop = asyncio.get_running_loop()
        if self._closed:
            raise RuntimeError("closed: takes no more jobs")
        if self._lane is None or self._lane.loop is not loop:
            self._lane = _Lane(loop, self._put)
        return self._lane.ask(job)

    def close(self) -> None:
        """Finish what was handed over, then end."""
        with self._counting:
            self._closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _put(self, job: Callable[[], None]) -> None:
        with self._counting:
            if self._closed:
                raise RuntimeError("closed: takes no more jobs")
            self._under_way += 1
            self._jobs.put(job)
            if len(self._threads) < min(self._under_way, self._count):
                self._threads.append(Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True))
                self._threads[-1].start()

    def _work(self) -> None:
        while job := self._jobs.get():
            job()
            with self._counting:
                self._under_way -= 1
        self._leave()


class _Lane:
    """Between one event loop and the threads, to and fro."""

    def __init__(self, loop: asyncio.AbstractEventLoop, put: Callable[[Callable[[], None]], None]) -> None:
        self.loop = loop
        self._put = put
        self._asked: list[_Asked] = []
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._woken = False

    def ask(self, job: Callable[[], T]) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = self.loop.create_future()
        if not self._asked:
            self.loop.call_soon(self._hand_over)
        self._asked.append((job, future))
        return future

    def _hand_over(self) -> None:
        asked, self._asked = self._asked, []
        try:
            self._put(lambda: self._do(asked))
        except RuntimeError as error:  # closed in the meantime
            for _, future in asked:
                self._done.append((future, None, error))
            self._tell()

    def _do(self, asked: list[_Asked]) -> None:
        """In a thread."""
        for job, future in asked:
            try:
                self._done.append((future, job(), None))
            except BaseException as error:
                self._done.append((future, None, error))
            if not self._woken:
                self._woken = True
                with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                    self.loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._woken = False  # before looking: what comes after the last look wakes the loop again
        while self._done:
            future, result, error = self._done.popleft()
            if future.done():  # whoever waited was cancelled
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
