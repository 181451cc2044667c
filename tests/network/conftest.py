"""The real network, once a test run. Everything in this folder is marked `network`: left out by default, run by `make e2e`."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import cannot_run, postgres
from tests.support.netbox import started
from tests.support.network import Net

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.network)


@pytest.fixture(scope="session")
def net(postgresql_server: postgres.Server) -> Iterator[Net]:
    """A fresh network, shared by the run's tests: let each use accounts of its own (`net.account("name")`)."""
    try:
        with started(postgresql_server) as net:
            yield net
    except subprocess.CalledProcessError as error:
        cannot_run(f"the network could not be installed: {error}")
