"""What tests of several rooms share."""

import os
from typing import NoReturn

import pytest


def cannot_run(why: str) -> NoReturn:
    """Skip a test for want of something on this machine; where everything is required (PLAINSKY_REQUIRE_ALL=1, as in CI), fail it."""
    if os.environ.get("PLAINSKY_REQUIRE_ALL") == "1":
        pytest.fail(f"PLAINSKY_REQUIRE_ALL=1, and {why}", pytrace=False)
    pytest.skip(f"NOT TESTED: {why}")
