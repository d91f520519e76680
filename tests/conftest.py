"""What holds for every test: no task outlives it, nothing blocks the loop, failures repeat.

Tests need no `__init__.py`; they import ours by the absolute name, as users do.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

# `ci` repeats the same examples in every run; `search` looks for new ones and keeps its finds.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    # The two fixtures below hold for the whole test and have no state to reset between examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile(
    "search", settings.get_profile("ci"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

OURS = ["agent", "drivers", "simulators"]

# httpx reads the world's authorities for each client, also where it speaks no TLS: 20 ms, thousands
# of times. A test that needs somebody's trust says whose.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "no_authority.pem")

# Tests and libraries stay until the end. To look through all of them for garbage again and again,
# while they are collected and after each few tests, took a fifth of the run.
gc.disable()


def pytest_collection_finish() -> None:
    """Exempt what is there now, and look for garbage in what tests leave from here on."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[BlockBuster]:
    """Raise `BlockingError` when a call of ours, or what it calls, would stop the event loop.

    What a test itself reads or writes beside our code is its own affair.
    """
    with blockbuster_ctx(OURS) as guard:
        yield guard


@pytest.fixture(autouse=True)
def no_task_is_left_behind(request: pytest.FixtureRequest) -> None:
    """Fail an async test that ends while a task that began in it still runs, and name the task."""
    if request.node.get_closest_marker("asyncio"):  # a test without a loop need not open one
        request.getfixturevalue("tasks_that_end")


@pytest.fixture
async def tasks_that_end() -> AsyncIterator[None]:
    """Look again when the test and all its other fixtures have ended."""
    before = asyncio.all_tasks()
    yield
    for _ in range(3):  # a child that was just cancelled takes its last step in the loop
        await asyncio.sleep(0)
    itself = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() - before if task is not itself]
    names = sorted(f"{task.get_name()!r} in {task.get_coro()}" for task in left)
    for task in left:
        task.cancel()
    await asyncio.wait(left, timeout=1.0) if left else None
    if names:
        pytest.fail("tasks left running: " + "; ".join(names), pytrace=False)
