"""Running commands against an agent that is served on a real Unix socket in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from tests.agent.bench import PLAN, named
from tests.agent.web_bench import Web, served


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its output as one JSON document."""
        return json.loads(self.out)


Command = Callable[..., Coroutine[Any, Any, Ended]]


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    """Two toys, psu1 and oven1, and a file to print."""
    (tmp_path / "part.gcode").write_text("G28\nG1 X1\n", encoding="utf-8")
    async with served(PLAN, named("oven1"), folder=tmp_path) as found:
        yield found


@pytest.fixture
def ask(web: Web, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command as a person would, in a thread of its own: the agent lives in this loop."""
    monkeypatch.setenv("LABKEEPER_SOCKET", str(web.path))
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")

    async def command(*words: str) -> Ended:
        code = await asyncio.to_thread(main, words)
        return Ended(code, *capsys.readouterr())

    return command
