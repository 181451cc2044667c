"""`atproto-devtool test labeler`, a conformance suite that nobody here wrote, against our labeler: each required check is passed."""

import asyncio
import contextlib
import os
import re
from pathlib import Path
from typing import TypeAlias

import pytest

from labeler.signals.gtube import TEST_STRING
from tests.support.labeler_operator import Operator
from tests.support.network import Net
from tests.support.plc_directory import Place, over_tls, plc_directory
from tests.support.programs import Service, built, wait_until


@pytest.fixture(scope="session")
def devtool() -> str:
    """The program; built where that has not been done."""
    return built("conformance.sh", "the conformance suite for labelers")


Row: TypeAlias = tuple[str, str, str]
"""Stage, verdict, what was looked at."""


@pytest.fixture(scope="module")
def rows(net: Net, tmp_path_factory: pytest.TempPathFactory, devtool: str) -> list[Row]:
    """All that the suite says of a labeler with more labels than a page of queryLabels holds."""
    folder = tmp_path_factory.mktemp("suite")
    with contextlib.ExitStack() as stack:

        def start(config: str) -> Service:
            service = Service(folder, config)
            stack.callback(service.end)
            service.start()
            return service

        us = Operator(net, start, "plcsuite", folder)
        us.published()
        net.subscribe_labeler(us.did)
        for number in range(60):
            post = net.post("carol", f"{number} {TEST_STRING}")
        wait_until(lambda: us.seen(post) == ["network-test"], 30, "the labels are there")
        return asyncio.run(judged(devtool, us, net, folder))


@pytest.mark.parametrize(("stage", "count"), [("Identity", 20), ("HTTP", 8), ("Subscription", 2), ("Crypto", 2), ("Report", 10)])
def test_a_foreign_conformance_suite_finds_nothing_against_our_labeler(rows: list[Row], stage: str, count: int) -> None:
    ours = [row for row in rows if row[0] == stage]

    assert [row for row in ours if row[1] not in ("OK", "SKIP")] == []
    assert [row for row in ours if row[1] == "SKIP" and "no endpoint override" not in row[2]] == []
    assert len(ours) == count


async def judged(devtool: str, us: Operator, net: Net, folder: Path) -> list[Row]:
    """Each row of the suite's five stages: stage, verdict, what was looked at. Its reports are sent in bob's name, too."""
    bob = net.accounts["bob"]
    reporter = ["--commit-report", "--force-self-mint", "--handle", bob["handle"], "--app-password", bob["appPassword"]]
    async with plc_directory(net.plc, {bob["handle"]: bob["did"]}, folder) as place:
        plain = await run(devtool, us.did, place, reporter)
        # 0.1.1 opens no WebSocket at an http:// address; the network's PDS in turn trusts no certificate of ours.
        async with over_tls(us.service.port, place.context) as address:
            services = {"atproto_labeler": {"type": "AtprotoLabeler", "endpoint": address}}
            await asyncio.to_thread(net.control, "/plc/update", handle=us.name, services=services)
            guarded = await run(devtool, us.did, place, [])
    return [row for row in plain if row[0] != "Subscription"] + [row for row in guarded if row[0] != "Report"]


async def run(devtool: str, did: str, place: Place, options: list[str]) -> list[Row]:
    """The rows that it prints."""
    command = [devtool, "--no-color", "test", "labeler", did, "--subscribe-timeout", "3s", *options]
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(*command, env={**os.environ, **place.environment}, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(program.communicate(), 120)
    told = out.decode()
    print(f"{told}\n{err.decode()}\n(exit code {program.returncode})\n")
    stage, rows = "", []
    for line in told.splitlines():
        if found := re.fullmatch(r"== (\w+) ==", line):
            stage = found[1]
        elif found := re.match(r"\[(\w+)\] (.*)", line):
            rows.append((stage, found[1], found[2].strip()))
    return rows
