"""Moonraker without a socket: time is given, messages are taken from the outbox."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.moonraker_klippy import Klippy, KlippyState, RestartDelays
from simulators.moonraker_rpc import Connection, Moonraker
from simulators.networked_board import KLIPPER
from simulators.networked_gcode import GcodeError
from simulators.networked_printer import NetworkedPrinter
from simulators.printer_storage import PrinterStorage

TICK = 0.02
CONTENT = b"M104 S60\nG28\nSET_PRINT_STATS_INFO TOTAL_LAYER=9\n" + b"G1 X9 F600\nG1 X1\n" * 50
Json = dict[str, Any]


def server() -> Moonraker:
    delays = RestartDelays(gone=0.5, startup=1.0)
    klippy = Klippy(NetworkedPrinter(KLIPPER), PrinterStorage(), delays)
    klippy.storage.store("a.gcode", CONTENT, 0.0)
    return Moonraker(klippy, "key", demands_key=False)


async def ask(moonraker: Moonraker, connection: Connection, method: str, **params: Any) -> Any:
    request = {"jsonrpc": "2.0", "method": method, "params": params, "id": 7}
    answer = await moonraker.answer(json.dumps(request), connection)
    assert answer is not None
    return json.loads(answer)


def told(connection: Connection) -> list[Json]:
    messages = []
    while not connection.outbox.empty():
        messages.append(json.loads(connection.outbox.get_nowait()))
    return messages


def run(moonraker: Moonraker, seconds: float) -> None:
    for _ in range(round(seconds / TICK)):
        moonraker.advance(TICK)


STEPS = ("print", "pause", "resume", "cancel", "heat", "stop", "wait", "runout")


@given(st.lists(st.sampled_from(STEPS), max_size=12))
async def test_what_was_told_adds_up_to_what_is(steps: list[str]) -> None:
    moonraker = server()
    connection = moonraker.connect(None)
    wanted = dict.fromkeys(
        ("webhooks", "print_stats", "virtual_sdcard", "extruder", "toolhead", "pause_resume",
         "filament_switch_sensor runout", "idle_timeout")
    )  # fmt: skip
    answer = await ask(moonraker, connection, "printer.objects.subscribe", objects=wanted)
    known: dict[str, Json] = answer["result"]["status"]
    texts = {"print": 'SDCARD_PRINT_FILE FILENAME="a.gcode"', "pause": "PAUSE",
             "resume": "RESUME", "cancel": "CANCEL_PRINT", "heat": "M104 S80"}  # fmt: skip
    for step in steps:
        if step == "stop":
            moonraker.klippy.emergency_stop()
        elif step == "runout":
            moonraker.klippy.printer.run_out()
        elif step in texts and moonraker.klippy.state is KlippyState.READY:
            moonraker.klippy.run(texts[step])
        run(moonraker, 1.7)
    run(moonraker, 0.3)
    for message in told(connection):
        if message["method"] == "notify_status_update":
            for name, fields in message["params"][0].items():
                known[name] = known[name] | fields
    assert known == connection.told


async def test_a_restart_is_gone_then_starting_then_ready() -> None:
    moonraker = server()
    connection = moonraker.connect(None)
    klippy = moonraker.klippy
    klippy.restart(firmware=True)
    assert str(klippy.state) == "disconnected"
    assert (await ask(moonraker, connection, "printer.info"))["error"]["code"] == 503
    run(moonraker, 0.6)
    assert str(klippy.state) == "startup"
    objects = (await ask(moonraker, connection, "printer.objects.list"))["result"]["objects"]
    assert objects == ["webhooks"]
    with pytest.raises(GcodeError, match="not ready"):
        klippy.run("G28")
    run(moonraker, 1.1)
    assert str(klippy.state) == "ready"
    names = [message["method"] for message in told(connection)]
    assert names == ["notify_klippy_disconnected", "notify_klippy_ready"]


async def test_a_restart_into_an_error_is_never_ready() -> None:
    moonraker = server()
    moonraker.klippy.restart(firmware=True, error="Option 'x' is not valid in section 'y'")
    run(moonraker, 3.0)
    assert moonraker.klippy.state is KlippyState.ERROR
    connection = moonraker.connect(None)
    info = (await ask(moonraker, connection, "printer.info"))["result"]
    assert "Option 'x'" in info["state_message"]
    query = await ask(moonraker, connection, "printer.objects.query", objects={"extruder": None})
    assert query["result"]["status"] == {}


async def test_lines_of_the_firmware_are_pushed() -> None:
    moonraker = server()
    connection = moonraker.connect(None)
    script = moonraker.klippy.run("FLY\nM118 hello\nG1 X1")
    run(moonraker, 0.2)
    assert script.error.startswith("Must home axis first")
    lines = [message["params"][0] for message in told(connection)]
    assert lines[:2] == ['// Unknown command:"FLY"', "echo: hello"]
    assert lines[2].startswith("!! Must home")


async def test_the_history_lists_from_the_latest() -> None:
    moonraker = server()
    connection = moonraker.connect(None)
    for _ in range(3):
        moonraker.klippy.run('SDCARD_PRINT_FILE FILENAME="a.gcode"')
        run(moonraker, 1.0)
        moonraker.klippy.run("CANCEL_PRINT")
        run(moonraker, 10.0)
    listed = (await ask(moonraker, connection, "server.history.list", limit=2))["result"]
    assert [job["job_id"] for job in listed["jobs"]] == ["000003", "000002"]
    assert {job["status"] for job in listed["jobs"]} == {"cancelled"}
    rest = await ask(moonraker, connection, "server.history.list", order="asc", start=2)
    assert [job["job_id"] for job in rest["result"]["jobs"]] == ["000003"]
    await ask(moonraker, connection, "server.history.delete_job", uid="000003")
    gone = await ask(moonraker, connection, "server.history.get_job", uid="000003")
    assert gone["error"]["code"] == -32601
    about = (await ask(moonraker, connection, "server.files.metadata", filename="a.gcode"))[
        "result"
    ]
    assert about["job_id"] == "000002"
