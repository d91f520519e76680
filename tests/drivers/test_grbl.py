"""GRBL: answers are counted, the status comes beside them, and a reset is never overlooked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BadReply, DeviceError, DriverError, LinkClosed, LinkTimeout
from drivers.protocol import grbl as grbl_module
from drivers.protocol.grbl import Grbl, StatusRef
from drivers.protocol.grbl_lines import pattern
from drivers.protocol.grbl_reports import State, Status, alarm_text, error_text, parse_report
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback, Script
from tests.drivers.patience import until_greeted

QUICK = Timeouts(turn=2.0, first_byte=0.05, next_byte=0.01, whole=0.1)
BANNER = b"\r\nGrbl 1.1h ['$' for help]\r\n"
VERSION = b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n"
HELLO = ((b"$I\n", VERSION), (b"$$\n", b"$10=1\r\n$13=0\r\nok\r\n"))
MACHINE_X = StatusRef[float](lambda status: status.machine_axis(0), str)
WORK_X = StatusRef[float](lambda status: status.work_axis(0), str)


@pytest.fixture(autouse=True)
def no_pause_between_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grbl_module, "STATUS_PERIOD_S", 0.0)


def script(*dialogue: tuple[bytes, bytes]) -> Script:
    link = Script(*HELLO, *dialogue)
    link._banner = BANNER
    return link


async def greeted(link: Loopback, nonce: int = 0) -> Grbl:
    wire = Grbl(link, QUICK, boot=0.05, nonce=lambda: nonce)
    assert await wire.hello() == "[VER:1.1h.20190830:]"
    return wire


async def test_hello_waits_for_the_banner_and_asks_who_it_is() -> None:
    async with script() as link:
        wire = await greeted(link)
        assert wire.settings == {10: "1", 13: "0"}
    link.assert_finished()


async def test_a_controller_that_did_not_reset_is_brought_into_step_first() -> None:
    lines = b"X\nX\nX\n\n" + b"\n\n\n" * 9 + b"X\n\n\n"
    answers = b"error:2\r\n" * 3 + b"ok\r\n" * 28 + b"error:2\r\n" + b"ok\r\n" * 2
    async with Script((b"\n" + lines, b"ok\r\n" + answers), *HELLO) as link:
        await greeted(link, nonce=1 << 18)
    link.assert_finished()


async def test_values_of_one_status_report_share_one_question() -> None:
    report = b"<Run|MPos:1.000,2.000,3.000|FS:500,0|WCO:0.500,0.000,0.000>\r\n"
    async with script((b"?", report)) as link:
        wire = await greeted(link)
        assert await wire.read([MACHINE_X, WORK_X]) == [1.0, 0.5]
    link.assert_finished()


async def test_the_offset_of_the_work_coordinates_is_remembered_until_a_reset() -> None:
    first = b"<Idle|WPos:1.000,2.000,3.000|FS:0,0|WCO:0.500,0.000,0.000>\r\n"
    later = b"<Idle|MPos:4.000,2.000,3.000|FS:0,0>\r\n"
    async with script((b"?", first), (b"?", later), (b"\x18", BANNER), (b"?", later)) as link:
        wire = await greeted(link)
        assert await wire.read([MACHINE_X, WORK_X]) == [1.5, 1.0]
        assert await wire.read([MACHINE_X, WORK_X]) == [4.0, 3.5]
        await wire.reset()
        machine, work = await wire.read([MACHINE_X, WORK_X])
        assert machine == 4.0
        assert isinstance(work, DeviceError)


async def test_reports_in_inches_become_millimetres() -> None:
    settings_in_inches = (b"$$\n", b"$13=1\r\nok\r\n")
    report = b"<Idle|MPos:1.0000,2.0000,3.0000|FS:10,0>\r\n"
    link = Script((b"$I\n", VERSION), settings_in_inches, (b"?", report))
    link._banner = BANNER
    async with link:
        status = await (await greeted(link)).status()
    assert status.machine == pytest.approx((25.4, 50.8, 76.2))
    assert status.feed == pytest.approx(254.0)


async def test_pushed_messages_are_not_counted_as_answers() -> None:
    pushed = b"[MSG:Caution: Unlocked]\r\n<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n>G54:ok\r\nok\r\n"
    async with script((b"$X\n", pushed), (b"G4P0\n", b"ok\r\n")) as link:
        wire = await greeted(link)
        assert "[MSG:Caution: Unlocked]" in await wire.command("$X")
        assert await wire.command("G4P0") == []
    link.assert_finished()


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (b"error:9\r\n", "error 9: G-code is locked out"),
        (b"error:15\r\n", "error 15: the jog would leave"),
        (b"error:79\r\n", "error 79: see the manual of the firmware"),
        (b"ALARM:1\r\n", "alarm 1: a limit switch was hit"),
        (b"ALARM:14\r\n", "alarm 14: see the manual of the firmware"),
    ],
)
async def test_a_refusal_has_its_number_and_its_meaning(said: bytes, meaning: str) -> None:
    async with script((b"G1X1\n", said)) as link:
        wire = await greeted(link)
        with pytest.raises(DeviceError, match=meaning):
            await wire.command("G1X1")


def test_every_code_of_grbl_has_words() -> None:
    documented = {*range(1, 18), *range(20, 39)}
    assert not [n for n in documented if "see the manual" in error_text(n)]
    assert not [n for n in range(1, 10) if "see the manual" in alarm_text(n)]


async def test_after_an_alarm_that_only_a_reset_ends_nothing_is_sent_and_the_state_is_known() -> (
    None
):
    dialogue = ((b"G1X1\n", b"ALARM:1\r\n[MSG:Reset to continue]\r\n"), (b"\x18", BANNER))
    async with script(*dialogue, (b"$X\n", b"ok\r\n")) as link:
        wire = await greeted(link)
        with pytest.raises(DeviceError, match="alarm 1"):
            await wire.command("G1X1")
        status = await wire.status()
        assert (status.state, status.alarm, status.machine) == (State.ALARM, 1, ())
        with pytest.raises(DeviceError, match="alarm 1"):
            await wire.command("$X")
        await wire.reset()
        await wire.command("$X")
    link.assert_finished()


@pytest.mark.parametrize("answered", [True, False])
async def test_a_controller_that_resets_itself_must_be_greeted_again(answered: bool) -> None:
    async with script(*([(b"G1X1\n", BANNER)] if answered else [])) as link:
        wire = await greeted(link)
        if not answered:
            link.inbox.feed(BANNER)
        for _ in range(2):
            with pytest.raises(LinkClosed, match="reset itself"):
                await wire.command("G1X1")
        with pytest.raises(LinkClosed):
            await wire.status()
    link.assert_finished()


async def test_our_own_reset_cuts_a_line_short_and_is_no_surprise() -> None:
    async with script((b"G1X1\n", b""), (b"!\x18", b""), (b"G4P0\n", b"ok\r\n")) as link:
        wire = await greeted(link)
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, wire.realtime, b"!\x18")
        loop.call_later(0.02, link.inbox.feed, BANNER)
        with pytest.raises(DeviceError, match="cut short by a reset"):
            await wire.command("G1X1")
        await wire.command("G4P0")


async def test_the_status_is_read_while_a_line_is_waited_for() -> None:
    report = b"<Run|MPos:1.000,2.000,3.000|FS:500,0>\r\n"
    async with script((b"G1X1\n", b""), (b"?", report)) as link:
        wire = await greeted(link)
        async with asyncio.TaskGroup() as group:
            group.create_task(wire.command("G1X1"), name="move")
            await asyncio.sleep(0.01)
            assert (await wire.status()).state is State.RUN
            link.inbox.feed(b"ok\r\n")


async def test_nothing_is_asked_during_homing_and_the_state_is_known() -> None:
    async with script((b"$H\n", b"")) as link:
        wire = await greeted(link)
        async with asyncio.TaskGroup() as group:
            group.create_task(wire.home(within=5.0), name="home")
            await asyncio.sleep(0.01)
            machine, state = await wire.read([MACHINE_X, StatusRef(lambda s: s.state, str)])
            assert state is State.HOME
            assert isinstance(machine, DeviceError)
            link.inbox.feed(b"ok\r\n")
    link.assert_finished()


async def test_a_status_report_that_does_not_come_is_a_time_out() -> None:
    async with script((b"?", b"")) as link:
        wire = await greeted(link)
        with pytest.raises(LinkTimeout):
            await wire.read([MACHINE_X])


@pytest.mark.parametrize(
    "line",
    [
        "<Idle|MPos:1.000,2.0",
        "<Idle>",
        "<Flying|MPos:1.000,2.000,3.000>",
        "Idle|MPos:1.000,2.000,3.000",
        "",
    ],
)
def test_half_a_report_is_refused(line: str) -> None:
    with pytest.raises(BadReply):
        parse_report(line)


@given(st.text(alphabet="<>|:,.0123456789-MPosWCOFSIdleRun", max_size=60))
def test_no_text_makes_the_parser_stumble_or_guess(text: str) -> None:
    try:
        report = parse_report(text)
        report.vector("MPos", 1.0)
        report.feed_and_speed(1.0)
    except BadReply:
        return
    assert text.startswith("<")
    assert text.endswith(">")


@given(st.integers(0, 2**20 - 1))
def test_no_end_of_the_pattern_is_its_beginning(nonce: int) -> None:
    whole = pattern(nonce)
    assert not [n for n in range(1, len(whole)) if whole[:n] == whole[-n:]]


def test_a_position_that_was_not_reported_has_no_number() -> None:
    with pytest.raises(DeviceError, match="no position of axis Y"):
        Status(state=State.IDLE, machine=(1.0,)).machine_axis(1)


class Controller:
    """Answers each `G4` with its number in a message before the `ok`; the words may be spoilt."""

    def __init__(self) -> None:
        self.late = b""
        self.spoil: Callable[[bytes], bytes] = lambda said: said

    def handle(self, data: bytes) -> bytes:
        said = b"".join(self._line(line) for line in data.split(b"\n")[:-1])
        waiting, self.late = self.late, b""
        return waiting + self.spoil(said)

    def hold_back(self, said: bytes) -> bytes:
        self.late += said
        return b""

    def _line(self, line: bytes) -> bytes:
        if line == b"$I":
            return VERSION
        if line == b"X":
            return b"error:2\r\n"
        return b"[MSG:%s]\r\nok\r\n" % line if line else b"ok\r\n"


Fate = st.sampled_from(["good", "good", "late", "lost", "cut"])


@settings(max_examples=40)
@given(fates=st.lists(Fate, min_size=1, max_size=10))
async def test_a_late_lost_or_cut_answer_is_never_taken_for_that_of_another_line(
    fates: list[str],
) -> None:
    controller = Controller()
    short = Timeouts(turn=2.0, first_byte=0.004, next_byte=0.002, whole=0.004)
    async with Loopback(controller.handle, banner=BANNER) as link:
        wire = Grbl(link, short, boot=0.05)
        await until_greeted(wire.hello)
        for number, fate in enumerate(fates):
            controller.spoil = {
                "good": lambda said: said,
                "late": controller.hold_back,
                "lost": lambda said: b"",
                "cut": lambda said: said[: len(said) // 2],
            }[fate]
            try:
                said = await wire.command(f"G4P{number}")
            except (LinkTimeout, BadReply):
                continue
            assert said == [f"[MSG:G4P{number}]"]


async def test_no_line_is_sent_twice() -> None:
    sent: list[bytes] = []

    def handle(data: bytes) -> bytes:
        sent.append(data)
        return VERSION if data == b"$I\n" else b"ok\r\n" if data == b"$$\n" else b""

    async with Loopback(handle, banner=BANNER) as link:
        wire = await greeted(link)
        for _ in range(2):
            with pytest.raises(DriverError):
                await wire.command("G1X1")
    assert sent.count(b"G1X1\n") == 1
