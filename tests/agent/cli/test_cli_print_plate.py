"""`labkeeper print` asks for the plate before it sends a file, and the gate has the last word all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli import printing
from agent.cli.demo.cube import cube
from tests.agent.cli_bench import Command, ask
from tests.agent.print_bench import DONE, knobs, web
from tests.agent.web_bench import Web

__all__ = ["ask", "web"]  # fixtures
pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]


async def printed_once(ask: Command, web: Web, folder: Path) -> Path:
    """Leave a print on the plate, and make another file to be printed."""
    first, second = folder / "a.gcode", folder / "b.gcode"
    first.write_text(cube(), "ascii")
    second.write_text(cube() + "M300\n", "ascii")
    knobs(web)["ends"] = DONE
    assert (await ask("print", "printer1", str(first))).code == 0
    await web.bench.until("printer1", lambda it: it.samples["print_state"].value == "idle")
    return second


def added(web: Web) -> int:
    return len([it for it in web.bench.events.kept if it.kind == "files.added"])


async def test_what_would_be_refused_for_the_plate_is_refused_before_the_file_is_sent(
    ask: Command, web: Web, tmp_path: Path
) -> None:
    second = await printed_once(ask, web, tmp_path)
    refused = await ask("print", "printer1", str(second))
    assert refused.code == 2
    assert "nobody has said that the plate of printer1 is clear" in refused.err
    assert added(web) == 1
    assert (await ask("plate", "clear", "printer1")).code == 0
    assert (await ask("print", "printer1", str(second))).code == 0
    assert added(web) == 2


async def test_the_gate_refuses_what_the_question_before_has_let_pass(
    ask: Command, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = await printed_once(ask, web, tmp_path)
    monkeypatch.setattr(printing, "_must_be_clear", lambda *_: None)  # it was, a moment ago
    refused = await ask("print", "printer1", str(second))
    assert refused.code == 2
    assert "nobody has said that the plate of printer1 is clear" in refused.err
    assert added(web) == 2
