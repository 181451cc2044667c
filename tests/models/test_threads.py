"""The threads behind the database door: results, errors and cancellation come back to the loop that asked."""

import asyncio
import threading

import pytest

from models.threads import Threads


@pytest.fixture
def left() -> list[str]:
    """Names of the threads that have left."""
    return []


@pytest.fixture
def threads(left: list[str]) -> Threads:
    return Threads(2, "test", lambda: left.append(threading.current_thread().name))


async def test_results_and_errors_reach_who_asked(threads: Threads) -> None:
    asked = [threads.ask(lambda n=n: 10 // n) for n in (1, 0, 5)]  # type: ignore[misc]

    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert (answers[0], answers[2]) == (10, 2)
    assert isinstance(answers[1], ZeroDivisionError)
    threads.close()


async def test_who_was_cancelled_is_not_told_and_others_are(threads: Threads) -> None:
    gate = threading.Event()
    first, second = threads.ask(gate.wait), threads.ask(lambda: "second")
    first.cancel()
    gate.set()

    assert await second == "second"
    assert first.cancelled()
    threads.close()


async def test_a_slow_job_of_a_later_turn_holds_up_nobody(threads: Threads) -> None:
    gate = threading.Event()
    slow = threads.ask(gate.wait)
    await asyncio.sleep(0)  # the slow one is handed over

    assert await threads.ask(lambda: "quick") == "quick"

    gate.set()
    assert await slow
    threads.close()


def test_each_loop_is_told_of_its_own(threads: Threads) -> None:
    async def ask(value: int) -> int:
        return await threads.ask(lambda: value)

    assert [asyncio.run(ask(1)), asyncio.run(ask(2)), threads.run(lambda: 3)] == [1, 2, 3]
    threads.close()


async def test_closing_finishes_what_was_handed_over_and_every_thread_leaves(threads: Threads, left: list[str]) -> None:
    both = threading.Barrier(2)
    asked = [threads.ask(both.wait)]
    await asyncio.sleep(0)  # the first one is handed over
    asked.append(threads.ask(both.wait))
    await asyncio.gather(*asked)
    threads.close()

    assert sorted(left) == ["test-0", "test-1"]
    with pytest.raises(RuntimeError, match="closed"):
        threads.run(lambda: None)


def test_a_thread_is_started_only_when_those_before_it_are_busy(threads: Threads, left: list[str]) -> None:
    threads.run(lambda: None)
    threads.close()

    assert left == ["test-0"]


def test_closing_before_the_first_job_starts_nothing(threads: Threads, left: list[str]) -> None:
    threads.close()

    assert left == []
