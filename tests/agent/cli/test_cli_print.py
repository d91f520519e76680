"""`labkeeper print` against a toy printer: what is sent, what is told on the way, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
from asyncio.subprocess import PIPE
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest

from agent.cli.demo.cube import cube
from agent.cli.print_run import PrintRun
from agent.errors import OutcomeUnknown
from tests.agent.cli_bench import Command, Ended, ask
from tests.agent.print_bench import (
    DONE,
    FAILED,
    command,
    knobs,
    part,
    seen,
    until_it_prints,
    watched,
    web,
)
from tests.agent.web_bench import Web, problem

__all__ = ["ask", "part", "web"]  # fixtures
pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]


def begun(command: Command, *words: str) -> asyncio.Task[Ended]:
    return asyncio.get_running_loop().create_task(command("print", "printer1", *words))


async def taken_off(ask: Command, web: Web) -> None:
    """Somebody takes the print off, and says so."""
    await web.bench.until("printer1", lambda it: it.samples["print_state"].value == "idle")
    assert await ask("plate", "clear", "printer1") == Ended(0, "printer1: clear\n", "")


async def test_a_local_file_is_sent_printed_followed_and_its_end_is_told(
    web: Web, part: Path
) -> None:
    async with watched(web, str(part)) as told:
        await told.until("printing, 0 %, 1 min 08 s left")
        await seen(web, part=4.0)
        await seen(web, part=11.0)
        await told.until("printing, 11 %")  # what follows faster than it is sent is told as one
        await seen(web, part=12.0)
        await seen(web, part=53.0)
        await told.until("printing, 53 %")
        await seen(web, state=2.0)
        await told.until("paused, 53 %, 1 min 08 s left, nozzle 25 °C")
        knobs(web)["ends"] = DONE
        assert await told.ended() == 0
    assert told.lines[-1] == "printer1: 시험편.gcode is printed in 1 min 01 s"
    assert [line for line in told.lines if "printing, 11 %" in line]
    assert not [line for line in told.lines if "4 %" in line or "12 %" in line]
    assert told.complaints == ""


async def test_a_file_stays_in_the_store_until_its_print_is_over(web: Web, part: Path) -> None:
    path = f"/files/{quote(part.name)}"
    async with watched(web, str(part)) as told:
        await until_it_prints(web)  # this one reads none of it
        problem(await web.unix.delete(path), 409, "in-use")
        knobs(web)["ends"] = DONE
        assert await told.ended() == 0
    assert (await web.unix.delete(path)).status_code == 200


async def test_programs_get_a_line_for_every_change_and_the_outcome(web: Web, part: Path) -> None:
    async with watched(web, str(part), "--json") as told:
        await until_it_prints(web)
        for share in (50.0, 51.0):
            knobs(web)["part"] = share
            await told.until(f'"print_time_progress": {share}')
        knobs(web)["ends"] = DONE
        assert await told.ended() == 0
    forms = [json.loads(line) for line in told.lines]
    assert {form["device"] for form in forms} == {"printer1"}
    assert all(one != other for one, other in pairwise(forms))
    assert (forms[-1]["status"], forms[-1]["file"]) == ("done", "시험편.gcode")
    assert forms[-1]["value"]["seconds"] == 61.0


async def test_a_file_of_the_store_is_printed_by_its_name_and_the_same_is_not_sent_again(
    ask: Command, web: Web, part: Path
) -> None:
    await ask("files", "add", str(part))
    knobs(web)["ends"] = DONE
    assert (await ask("print", "printer1", "시험편.gcode")).code == 0
    await taken_off(ask, web)
    assert (await ask("print", "printer1", str(part))).code == 0
    added = [it for it in web.bench.events.kept if it.kind == "files.added"]
    assert len(added) == 1


async def test_another_file_of_that_name_is_not_overwritten_unless_it_may_be(
    ask: Command, web: Web, part: Path
) -> None:
    await ask("files", "add", str(part))
    part.write_text(cube() + "M300\n", "ascii")
    knobs(web)["ends"] = DONE
    refused = await ask("print", "printer1", str(part))
    assert refused.code == 2
    assert "--replace puts this one in its place" in refused.err
    assert not [it for it in web.bench.events.kept if it.kind == "do.done"]
    assert (await ask("print", "printer1", str(part), "--replace")).code == 0
    await taken_off(ask, web)
    named = await ask("print", "printer1", str(part), "--name", "b.gcode", "--json")
    assert json.loads(named.out.splitlines()[-1])["file"] == "b.gcode"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["printer1", "nowhere.gcode"], "no file nowhere.gcode, neither here nor in the agent's store"),
        (["printer1", "/no/where.gcode"], "no file /no/where.gcode, neither here nor"),
        (["printer1", "x" * 400], "neither here nor"),
        (["printer1", "nowhere.gcode", "--replace"], "--replace and --name are for one"),
        (["printer", "part.gcode"], "did you mean printer1?"),
        (["psu1", "part.gcode"], "psu1 is no printer"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("web")
async def test_what_can_not_be_printed_is_refused_in_a_sentence(
    ask: Command, words: list[str], said: str
) -> None:
    ended = await ask("print", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


async def test_a_file_that_the_printer_must_not_get_is_refused_before_it_is_touched(
    ask: Command, web: Web, tmp_path: Path
) -> None:
    hot = tmp_path / "hot.gcode"
    hot.write_text(cube().replace("S200", "S240"), "ascii")
    ended = await ask("print", "printer1", str(hot))
    assert ended.code == 2
    assert "240 °C, above 210 °C, the limit set by station.yaml:7" in ended.err
    assert not [asked for asked in web.bench.simulators["printer1"].asked if " " in asked]


async def test_a_second_print_is_refused_and_the_first_goes_on(
    ask: Command, web: Web, part: Path
) -> None:
    first = begun(ask, str(part), "--json")
    await until_it_prints(web)
    for more in ([], ["--detach"]):
        second = await asyncio.create_subprocess_exec(*command(web, str(part), *more), stderr=PIPE)
        _, err = await second.communicate()
        assert second.returncode == 2
        assert b"print runs" in err
    knobs(web)["ends"] = DONE
    assert (await first).code == 0


async def test_a_failed_print_ends_with_3_its_reason_and_the_heaters(
    ask: Command, web: Web, part: Path
) -> None:
    for heat, said in ((0.0, "the heaters are off"), (2.0, "is not known: go and look")):
        running = begun(ask, str(part))
        await until_it_prints(web)
        knobs(web).update(ends=FAILED, heat=heat)
        ended = await running
        assert ended.code == 3
        assert "line 7 was the last one taken" in ended.err
        assert said in ended.err
        knobs(web)["ends"] = 0.0
        await taken_off(ask, web)


async def test_on_a_plate_that_may_not_be_clear_nothing_is_printed(
    ask: Command, web: Web, part: Path
) -> None:
    assert (await ask("plate", "list")).out == "printer1: clear\n"
    knobs(web)["ends"] = DONE
    assert (await ask("print", "printer1", str(part))).code == 0
    refused = await ask("print", "printer1", str(part))
    assert (refused.code, refused.out) == (2, "")
    assert "take that off, then `labkeeper plate clear printer1`, and ask again" in refused.err
    assert "nobody has said that it is clear" in (await ask("plate", "list")).out
    none = await ask("plate", "clear", "printer")
    assert none.code == 2
    assert "did you mean printer1?" in none.err
    assert (await ask("plate")).code == 2
    await taken_off(ask, web)
    assert json.loads((await ask("plate", "list", "--json")).out)["clear"] is True


async def test_a_lost_printer_ends_with_3_and_nobody_knows_of_its_heaters(
    ask: Command, web: Web, part: Path
) -> None:
    running = begun(ask, str(part), "--json")
    await until_it_prints(web)
    web.bench.simulators["printer1"].unplugged = True
    ended = await running
    error = json.loads(ended.out.splitlines()[-1])["error"]
    assert (ended.code, error["exit_code"]) == (3, 3)
    assert "whether the heaters are off is not known" in ended.err


async def test_detached_it_returns_as_soon_as_it_prints(ask: Command, web: Web, part: Path) -> None:
    ended = await ask("print", "printer1", str(part), "--detach")
    assert ended == Ended(0, "printer1: 시험편.gcode is being printed\n", "")
    assert knobs(web)["state"] == 1.0
    assert web.bench.board.latest["printer1"].activity == "print"
    knobs(web)["ends"] = DONE
    await web.bench.until_event("do.done")


async def test_detached_a_print_that_ends_at_once_is_told_with_its_end(
    ask: Command, web: Web, part: Path
) -> None:
    knobs(web)["ends"] = FAILED
    ended = await ask("print", "printer1", str(part), "--detach")
    assert ended.code == 3
    assert "the print has failed" in ended.err


async def test_ctrl_c_ends_the_watching_and_the_print_goes_on(web: Web, part: Path) -> None:
    async with watched(web, str(part)) as told:
        await told.until("printing")
        told.process.send_signal(signal.SIGINT)
        assert await told.ended() == 130
    assert told.complaints == (
        "labkeeper: the watching has ended, the print goes on: `labkeeper do printer1.pause`, "
        "`.resume` and `.cancel`, or `labkeeper stop printer1`; `labkeeper watch printer1` shows "
        "it again\n"
    )
    assert web.bench.board.latest["printer1"].activity == "print"
    knobs(web)["ends"] = DONE
    await web.bench.until_event("do.done")


async def test_a_terminal_shows_a_bar(web: Web, part: Path) -> None:
    reader, writer = pty.openpty()
    environment = {**os.environ, "COLUMNS": "90", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    process = await asyncio.create_subprocess_exec(
        *command(web, str(part)), stdout=writer, stderr=writer, env=environment
    )
    os.close(writer)
    await until_it_prints(web)
    await seen(web, part=42.0)
    await asyncio.sleep(0.3)
    knobs(web)["ends"] = DONE
    assert await process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", await asyncio.to_thread(_everything, reader))
    assert "Ctrl-C ends the watching, not the print" in text
    assert "━" in text
    assert "42.0 %" in text
    assert text.rstrip().endswith("시험편.gcode is printed in 1 min 01 s")


async def test_an_agent_that_stops_leaves_the_outcome_unknown(web: Web, part: Path) -> None:
    async with watched(web, str(part)) as told:
        await told.until("printing")
        for server in web.servers:
            server.cancel()
        assert await told.ended() == 3
    assert "a request may have been done" in told.complaints
    assert "whether the heaters are off is not known: go and look" in told.complaints


async def test_an_agent_that_is_killed_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        if asked.startswith(b"POST"):
            begun.set()
        await begun.wait()
        writer.close()

    path = tmp_path / "dying.sock"
    async with await asyncio.start_unix_server(die, path):
        with pytest.raises(OutcomeUnknown, match="what has become of the print is unknown"):
            await PrintRun(path, "printer1", "a.gcode", "silent").to_its_end(detach=False)


def _everything(reader: int) -> str:
    pieces = []
    try:
        while piece := os.read(reader, 65536):
            pieces.append(piece)
    except OSError:  # what a terminal says when its other side has closed
        pass
    os.close(reader)
    return b"".join(pieces).decode()
