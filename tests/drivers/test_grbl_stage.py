"""The GRBL driver against a simulated stage on a real pseudo-terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from drivers.errors import DeviceError, LinkClosed, OutOfRange, WrongInstrument
from drivers.motion.grbl import GrblStage
from drivers.protocol import grbl as grbl_module
from drivers.protocol.grbl import Grbl
from drivers.protocol.grbl_reports import State
from drivers.transport.link import Timeouts
from drivers.transport.memory import Script
from drivers.transport.serial import SerialLink
from simulators import grbl
from simulators.serve import PtyServer

pytestmark = pytest.mark.lab
QUICK = Timeouts(turn=5.0, first_byte=1.0, next_byte=0.02, whole=5.0)
FAST = {110: 60_000.0, 111: 60_000.0, 112: 60_000.0, 25: 60_000.0, 24: 6_000.0}
FAST |= {120: 5_000.0, 121: 5_000.0, 122: 5_000.0}


class Bench:
    """A simulated stage, its cable, and the driver at the other end."""

    def __init__(self, folder: Path, resets_on_open: bool = True) -> None:
        self.simulated = grbl.GrblStage(
            settings={22: 1, 20: 1, 21: 1, **FAST}, resets_on_open=resets_on_open
        )
        self.server = PtyServer(self.simulated, folder / "stage", tick=0.005)
        self.link = SerialLink(str(folder / "stage"), {})
        self.stage = GrblStage(Grbl(self.link, QUICK, boot=0.3))

    async def __aenter__(self) -> Bench:
        await self.server.__aenter__()
        await self.link.__aenter__()
        await self.stage.meet()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.link.__aexit__()
        await self.server.__aexit__()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10.0):
            while not condition():
                await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def short_pause_between_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grbl_module, "STATUS_PERIOD_S", 0.01)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Bench(tmp_path) as made:
        yield made


@pytest.fixture
async def homed(bench: Bench) -> Bench:
    await bench.stage.home()
    return bench


@pytest.mark.parametrize("resets_on_open", [True, False])
async def test_it_says_who_it_is_again_and_again(tmp_path: Path, resets_on_open: bool) -> None:
    async with Bench(tmp_path, resets_on_open=resets_on_open) as bench:
        await bench.link.__aexit__()
        await bench.link.__aenter__()
        assert (await bench.stage.meet()).firmware.startswith("1.1h")


async def test_another_firmware_is_refused() -> None:
    link = Script((b"$I\n", b"[VER:0.9j.20160303:]\r\nok\r\n"), (b"$$\n", b"ok\r\n"))
    link._banner = b"Grbl 0.9j ['$' for help]\r\n"
    async with link:
        with pytest.raises(WrongInstrument, match=r"0\.9j"):
            await GrblStage(Grbl(link, QUICK, boot=0.1)).meet()


async def test_every_reading_has_a_value_once_it_is_homed(homed: Bench) -> None:
    values = await homed.stage.read(homed.stage.readings)
    assert not [name for name, value in values.items() if isinstance(value, Exception)]
    assert values["state"] is State.IDLE
    assert values["x"] == pytest.approx(homed.simulated.position[0], abs=0.001)
    assert values["alarm"] == ""


async def test_before_homing_it_is_locked_and_says_so(bench: Bench) -> None:
    values = await bench.stage.read(["state", "alarm"])
    assert values["state"] is State.ALARM
    assert "home" in values["alarm"]
    with pytest.raises(DeviceError, match=r"error 8: this .* only while"):
        await bench.stage.move(1000.0, x=-10.0)
    await bench.stage.unlock()
    assert await bench.stage.state.read() is State.IDLE


async def test_a_move_ends_where_it_should(homed: Bench) -> None:
    reached = await homed.stage.move(60_000.0, x=-30.0, y=-20.5)
    assert (reached["x"], reached["y"]) == (-30.0, -20.5)
    assert homed.simulated.position[:2] == pytest.approx((-30.0, -20.5))
    reached = await homed.stage.jog(60_000.0, x=5.0)
    assert reached["x"] == -25.0
    assert all(line.startswith("$") for line in homed.simulated.executed)


async def test_a_move_without_an_axis_sends_nothing(homed: Bench) -> None:
    before = list(homed.simulated.executed)
    with pytest.raises(OutOfRange, match="at least one of"):
        await homed.stage.move(1000.0)
    assert homed.simulated.executed == before


async def test_a_target_beyond_the_travel_is_refused_and_nothing_moves(homed: Bench) -> None:
    before = homed.simulated.position
    with pytest.raises(DeviceError, match="error 15: the jog would leave"):
        await homed.stage.move(1000.0, x=-1500.0)
    assert homed.simulated.position == before
    assert await homed.stage.state.read() is State.IDLE


async def test_the_position_is_read_during_a_move(homed: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        moving = group.create_task(homed.stage.move(6000.0, x=-50.0), name="move")
        await homed.until(lambda: homed.simulated.state == "Jog")
        seen = [await homed.stage.x.read() for _ in range(5)]
        await moving
    assert seen == sorted(seen, reverse=True)
    assert seen[0] > seen[-1] > -50.0


async def broken_off(stage: GrblStage) -> Exception | None:
    """Begin a slow move, and return what ended it."""
    try:
        await stage.move(600.0, x=-100.0)
    except DeviceError as error:
        return error
    return None


@pytest.mark.parametrize("how", ["cancel_jog", "hold", "reset", "make_safe"])
async def test_a_move_can_be_broken_off_and_never_claims_to_have_arrived(
    homed: Bench, how: str
) -> None:
    async with asyncio.TaskGroup() as group:
        moving = group.create_task(broken_off(homed.stage), name="move")
        await homed.until(lambda: homed.simulated.state == "Jog")
        await getattr(homed.stage, how)()
        assert isinstance(await moving, DeviceError)
    assert homed.simulated.position[0] > -100.0
    assert homed.simulated.position_known
    assert await homed.stage.state.read() is State.IDLE


async def test_stopping_the_task_of_a_move_stops_the_stage(homed: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        moving = group.create_task(homed.stage.move(600.0, x=-100.0), name="move")
        await homed.until(lambda: homed.simulated.state == "Jog")
        moving.cancel()
        await asyncio.wait([moving])
        assert moving.cancelled()
    await homed.until(lambda: homed.simulated.state == "Idle")
    assert homed.simulated.position[0] > -100.0


async def test_stopping_the_task_of_homing_stops_the_stage(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.stage.wire.command("$25=60")
        async with asyncio.TaskGroup() as group:
            homing = group.create_task(bench.stage.home(), name="home")
            await bench.until(lambda: bench.simulated.state == "Home")
            assert await bench.stage.state.read() is State.HOME
            homing.cancel()
            await asyncio.wait([homing])
            assert homing.cancelled()
        assert await bench.stage.state.read() is State.ALARM
        await bench.stage.make_safe()


async def test_homing_that_finds_no_switch_says_so_and_can_be_tried_again(bench: Bench) -> None:
    bench.simulated.miss_homing_switch("Y")
    with pytest.raises(DeviceError, match="alarm 9: homing failed"):
        await bench.stage.home()
    bench.simulated.miss_homing_switch("")
    await bench.stage.home()
    assert await bench.stage.state.read() is State.IDLE


async def test_a_limit_switch_locks_the_stage_until_reset_and_homing(homed: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        moving = group.create_task(broken_off(homed.stage), name="move")
        await homed.until(lambda: homed.simulated.state == "Jog")
        homed.simulated.hit_limit_switch("X")
        error = await moving
    assert "alarm" in str(error).lower()
    values = await homed.stage.read(["state", "x", "alarm"])
    assert values["state"] is State.ALARM
    assert isinstance(values["x"], DeviceError)
    assert values["alarm"].startswith("1: a limit switch was hit")
    await homed.stage.reset()
    await homed.stage.home()
    assert await homed.stage.state.read() is State.IDLE


async def test_making_safe_stops_the_spindle_and_is_harmless_twice(homed: Bench) -> None:
    await homed.stage.wire.command("M3 S500")
    assert homed.simulated.spindle_speed > 0
    await homed.stage.make_safe()
    await homed.stage.make_safe()
    assert homed.simulated.spindle_speed == 0
    assert homed.simulated.position_known


async def test_making_safe_ends_a_program_on_hold(homed: Bench) -> None:
    await homed.stage.wire.command("M3 S500")
    await homed.stage.wire.command("G1 X-100 F600")
    await homed.stage.hold()
    assert await homed.stage.state.read() is State.HOLD
    await homed.stage.make_safe()
    assert homed.simulated.spindle_speed == 0
    assert homed.simulated.position_known
    assert await homed.stage.state.read() is State.IDLE


async def test_resume_goes_on_after_a_hold(homed: Bench) -> None:
    await homed.stage.wire.command("G1 X-5 F6000")
    await homed.stage.hold()
    assert homed.simulated.position[0] > -5.0
    await homed.stage.resume()
    await homed.until(lambda: homed.simulated.state == "Idle")
    assert homed.simulated.position[0] == pytest.approx(-5.0)


async def test_an_interrupt_stops_at_once_and_costs_the_position(homed: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        moving = group.create_task(broken_off(homed.stage), name="move")
        await homed.until(lambda: homed.simulated.state == "Jog")
        await homed.stage.interrupt()
        assert isinstance(await moving, DeviceError)
    await homed.stage.make_safe()
    assert homed.simulated.position[0] > -100.0


async def test_a_controller_that_resets_itself_ends_a_move(homed: Bench) -> None:
    async def move() -> Exception | None:
        try:
            await homed.stage.move(600.0, x=-100.0)
        except LinkClosed as error:
            return error
        return None

    async with asyncio.TaskGroup() as group:
        moving = group.create_task(move(), name="move")
        await homed.until(lambda: homed.simulated.state == "Jog")
        homed.simulated.reset_by_itself()
        assert "reset itself" in str(await moving)
    with pytest.raises(LinkClosed):
        await homed.stage.x.read()
    await homed.stage.meet()
    assert await homed.stage.state.read() is State.ALARM


async def test_a_cable_that_is_pulled_is_seen_at_once(homed: Bench) -> None:
    await homed.server.unplug()
    async with asyncio.timeout(1.0):
        with pytest.raises(LinkClosed):
            await homed.stage.x.read()


async def test_a_lost_ok_makes_the_outcome_unknown_and_the_next_answer_right(
    homed: Bench,
) -> None:
    homed.stage.wire.lines._timeouts = Timeouts(whole=0.1, next_byte=0.02)
    homed.stage.wire.timeouts = Timeouts(whole=0.1, next_byte=0.02)
    homed.simulated.lose_next_ok()
    with pytest.raises(Exception, match="was not answered"):
        await homed.stage.wire.command("G4P0")
    told = await homed.stage.wire.command("$G")
    assert told[0].startswith("[GC:")
    assert homed.simulated.executed.count("G4P0") == 1
