"""The guards of conftest.py bite: each is shown a test that it must fail, and one that it must not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

PLANTED = """
import asyncio
import time
import warnings
from pathlib import Path

import agent

OF_OURS = Path(agent.__file__).with_name("sleepy.py")
SLEEP = compile("time.sleep(0.01)", str(OF_OURS), "exec")

async def test_leaves_a_task(request):
    request.node.kept = asyncio.get_running_loop().create_task(asyncio.sleep(60), name="poll psu1")

async def test_ends_its_task():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))

async def test_blocks_the_loop():
    exec(SLEEP)

def test_blocks_a_thread_without_a_loop():
    exec(SLEEP)

def test_warns():
    warnings.warn("this will change", DeprecationWarning)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of the planted tests, in an empty project with our settings and guards."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(HERE / "conftest.py", folder)
    shutil.copy(HERE.parent / "pyproject.toml", folder)
    (folder / "test_planted.py").write_text(PLANTED, encoding="utf-8")
    quickly = ["-q", "-n", "0", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    command = [sys.executable, "-m", "pytest", *quickly, str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_a_task_left_behind_fails_its_test_and_is_named(said: str) -> None:
    assert "ERROR at teardown of test_leaves_a_task" in said
    assert "tasks left running: 'poll psu1'" in said
    assert "teardown of test_ends_its_task" not in said


def test_a_call_of_ours_that_blocks_the_loop_fails_its_test(said: str) -> None:
    assert "FAILED test_planted.py::test_blocks_the_loop" in said
    assert "BlockingError: Blocking call to time.sleep" in said
    assert "FAILED test_planted.py::test_blocks_a_thread" not in said


def test_a_warning_fails_its_test(said: str) -> None:
    assert "DeprecationWarning: this will change" in said
    assert "2 failed, 3 passed, 1 error" in said
