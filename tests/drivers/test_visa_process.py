"""A VISA library in a process of its own: it hangs, crashes and chatters, and harms nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import ConnectFailed, LinkClosed, LinkTimeout
from drivers.protocol.scpi import Scpi
from drivers.transport import visa, visa_helper, visa_process, visa_session
from drivers.transport.link import Timeouts
from drivers.transport.visa import VisaLink
from simulators.serve import TcpServer
from simulators.siglent_spd1000x import SiglentSpd1000x
from tests.drivers.visa_bench import BACKEND, Mood, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]
SOON = Timeouts(turn=2.0, first_byte=0.3, next_byte=0.3, whole=0.5)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mood:
    monkeypatch.syspath_prepend(str(BACKEND))
    monkeypatch.setattr(visa, "GRACE_S", 0.3)
    return Mood(tmp_path)


@pytest.fixture
async def supply() -> AsyncIterator[TcpServer]:
    async with TcpServer(SiglentSpd1000x()) as server:
        yield server


def link_to(server: TcpServer, mood: Mood) -> VisaLink:
    return VisaLink(f"TCPIP0::127.0.0.1::{server.port}::SOCKET", mood.library)


async def asked(link: VisaLink) -> bytes:
    await link.send(b"*IDN?\n")
    return await link.receive_until(b"\n", SOON)


class TestInOrder:
    async def test_an_instrument_is_asked_as_over_any_link(
        self, mood: Mood, supply: TcpServer
    ) -> None:
        async with link_to(supply, mood) as link:
            wire = Scpi(link, SOON)
            assert (await wire.hello()).startswith("Siglent")
            assert await wire.ask("CH1:VOLT?") == "0.000"
            with pytest.raises(LinkTimeout, match="no reply within"):
                await link.receive_until(b"\n", SOON)
            await link.resync(0.1)
            assert await wire.ask("CH1:VOLT?") == "0.000"

    async def test_its_process_ends_with_the_link(self, mood: Mood, supply: TcpServer) -> None:
        async with link_to(supply, mood):
            assert len(mood.processes()) == 1
        assert mood.processes() == []

    async def test_the_recorder_keeps_what_was_said(self, mood: Mood, supply: TcpServer) -> None:
        async with link_to(supply, mood) as link:
            reply = await asked(link)
        kept = [(kind, data) for _, kind, data, _ in link.recorder.entries()]
        assert kept == [
            ("opened", b""),
            ("sent", b"*IDN?\n"),
            ("received", reply + b"\n"),
            ("closed", b""),
        ]

    async def test_what_the_library_prints_is_no_answer_and_stops_nothing(
        self, mood: Mood, supply: TcpServer
    ) -> None:
        mood.be("read chat")
        async with link_to(supply, mood) as link:
            for _ in range(3):
                assert (await asked(link)).startswith(b"Siglent")

    async def test_a_library_that_is_not_there_is_refused_in_a_sentence(self) -> None:
        link = VisaLink("GPIB0::7::INSTR", "@nothing")
        with pytest.raises(ConnectFailed, match="No package named pyvisa_nothing"):
            async with link:
                pass

    @pytest.mark.parametrize(
        ("program", "sentence"),
        [
            ("endless", r"did not start within 0\.3 s"),
            ("no_such_program", r"ended with code 1; its last words: .*No module named"),
        ],
    )
    async def test_a_process_that_does_not_begin_is_a_failed_connect(
        self, mood: Mood, monkeypatch: pytest.MonkeyPatch, program: str, sentence: str
    ) -> None:
        monkeypatch.setattr(visa_process, "START_S", 0.3 if program == "endless" else 20.0)
        monkeypatch.setattr(visa_process, "PROGRAM", program)
        with pytest.raises(ConnectFailed, match=sentence):
            async with VisaLink("GPIB0::7::INSTR", mood.library):
                pass


class TestHangs:
    @pytest.mark.parametrize("deed", ["hang", "hold"])
    async def test_a_call_that_hangs_costs_its_process_and_the_next_connect_works(
        self, mood: Mood, supply: TcpServer, deed: str
    ) -> None:
        link = link_to(supply, mood)
        async with link:
            await asked(link)
            mood.be(f"read {deed}")
            with pytest.raises(LinkClosed, match="did not return from a call within") as caught:
                await asked(link)
            assert caught.value.sent
            assert mood.processes() == []
            with pytest.raises(LinkClosed, match="the link is closed"):
                await link.send(b"*IDN?\n")
        mood.be("")
        async with link:
            assert (await asked(link)).startswith(b"Siglent")

    async def test_an_opening_that_hangs_has_sent_nothing(
        self, mood: Mood, supply: TcpServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(visa, "OPEN_S", 0.3)
        mood.be("open hang")
        for _ in range(2):
            with pytest.raises(ConnectFailed, match="did not return from a call within"):
                async with link_to(supply, mood):
                    pass
            assert mood.processes() == []

    async def test_a_closing_that_hangs_does_not_hold_up_who_leaves(
        self, mood: Mood, supply: TcpServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(visa, "CLOSE_S", 0.1)
        async with link_to(supply, mood):
            mood.be("close hang")
        assert mood.processes() == []

    async def test_an_instrument_of_which_a_thread_hangs_gets_a_process_from_then_on(
        self, supply: TcpServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(visa, "GRACE_S", 0.0)
        monkeypatch.setattr(visa, "OPEN_S", 0.1)
        free = threading.Event()
        monkeypatch.setattr(visa_session, "opened", lambda resource, library: free.wait(30))
        link = VisaLink(f"TCPIP0::127.0.0.1::{supply.port}::SOCKET")
        with pytest.raises(ConnectFailed, match="calls are made in a process of their own"):
            async with link:
                pass
        assert link.has_hung
        monkeypatch.setattr(visa, "OPEN_S", 10.0)
        async with link:
            assert (await asked(link)).startswith(b"Siglent")
        free.set()

    async def test_another_instrument_goes_on_meanwhile(
        self, mood: Mood, supply: TcpServer, tmp_path: Path
    ) -> None:
        (tmp_path / "well").mkdir()
        well = Mood(tmp_path / "well")
        async with (
            TcpServer(SiglentSpd1000x()) as other,
            link_to(supply, mood) as sick_link,
            link_to(other, well) as well_link,
        ):
            mood.be("read hang")
            sick = asyncio.gather(asked(sick_link), return_exceptions=True)
            answers = 0
            while not sick.done():
                assert (await asked(well_link)).startswith(b"Siglent")
                answers += 1
            assert isinstance((await sick)[0], LinkClosed)
            assert answers > 1


class TestEnds:
    @pytest.mark.parametrize(
        ("mood_of", "sentence"),
        [
            ("read crash", r"ended with code 3; its last words: assertion `lock->owner` failed"),
            ("read fault", r"was ended by SIGKILL"),
        ],
    )
    async def test_a_crash_loses_the_link_and_says_how(
        self, mood: Mood, supply: TcpServer, mood_of: str, sentence: str
    ) -> None:
        link = link_to(supply, mood)
        async with link:
            mood.be(mood_of)
            with pytest.raises(LinkClosed, match=sentence):
                await asked(link)
        mood.be("")
        async with link:
            assert (await asked(link)).startswith(b"Siglent")

    async def test_a_crash_between_two_calls_is_told_at_the_next(
        self, mood: Mood, supply: TcpServer
    ) -> None:
        async with link_to(supply, mood) as link:
            (process,) = mood.processes()
            os.kill(process, signal.SIGKILL)
            await until(lambda: not mood.processes())
            for _ in range(2):
                with pytest.raises(LinkClosed, match="was ended by SIGKILL"):
                    await asked(link)

    async def test_a_crash_while_opening_is_a_failed_connect(
        self, mood: Mood, supply: TcpServer
    ) -> None:
        mood.be("open crash")
        with pytest.raises(ConnectFailed, match="ended with code 3"):
            async with link_to(supply, mood):
                pass

    async def test_what_the_library_has_started_ends_with_it(
        self, mood: Mood, supply: TcpServer
    ) -> None:
        async with link_to(supply, mood) as link:
            mood.be("write breed")
            await link.send(b"*IDN?\n")
            assert len(mood.processes()) == 2
        await until(lambda: not mood.processes())

    @pytest.mark.parametrize("mood_of", ["", "open hang"])
    async def test_a_caller_who_gives_up_opening_leaves_no_process(
        self, mood: Mood, supply: TcpServer, mood_of: str
    ) -> None:
        mood.be(mood_of)
        for wait in (0.0, 0.05, 0.5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(wait), link_to(supply, mood):
                    await asyncio.Event().wait()
        await until(lambda: not mood.processes())


def test_once_the_agent_is_gone_no_call_puts_off_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[float] = []
    monkeypatch.setattr(signal, "setitimer", lambda which, seconds: rung.append(seconds))
    alarm = visa_helper.Alarm()
    alarm.set(5.0)
    alarm.set_for_good()
    alarm.set(33.0)  # a call that had come just before
    alarm.set(0)
    assert rung == [5.0, visa_helper.LAST_WORD_S]


AGENT = """
import asyncio, sys
from drivers.transport import visa
from drivers.transport.link import Timeouts
visa.GRACE_S = 0.0

async def main(resource, library):
    async with visa.VisaLink(resource, library) as link:
        print("open", flush=True)
        if asked := sys.stdin.readline().strip():
            await link.send(asked.encode() + b"\\n")
        await link.receive_until(b"\\n", Timeouts(first_byte=float(sys.argv[3]), whole=float(sys.argv[3])))

asyncio.run(main(*sys.argv[1:3]))
"""


@pytest.mark.parametrize(("deed", "patience"), [("", 30), ("hang", 30), ("hold", 2)])
async def test_no_process_outlives_an_agent_that_was_killed(
    mood: Mood, supply: TcpServer, deed: str, patience: float
) -> None:
    resource = f"TCPIP0::127.0.0.1::{supply.port}::SOCKET"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", AGENT, resource, mood.library, str(patience),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{BACKEND}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    assert len(mood.processes()) == 1
    mood.be(f"read {deed}" if deed else "")
    process.stdin.write(b"*IDN?\n" if deed else b"\n")
    if deed:
        await until(lambda: mood.has_shown)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    await until(lambda: not mood.processes(), 20)
