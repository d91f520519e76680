"""What must hold of SCPI whatever is typed, whatever an instrument answers, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadReply, ConnectFailed, DriverError, LinkTimeout, WrongType
from drivers.protocol import scpi
from drivers.protocol.ieee488 import parameter, queued_error, quoted
from drivers.protocol.scpi import Scpi
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback
from tests.drivers.virtual_time import run

SOON = Timeouts(turn=1.0, first_byte=0.05, next_byte=0.02, whole=0.2)
IDN = (b"*IDN?\n", b"Maker,M1,SN7,1.0,b\n")


class TestWhatIsSent:
    @given(text=st.text(max_size=12))
    def test_no_parameter_can_become_a_command(self, text: str) -> None:
        for spell in (parameter, quoted):
            try:
                spelled = spell(text)
            except WrongType:
                continue
            assert spelled.isascii()
            assert spelled.isprintable()
            assert ";" not in spelled
            assert spell is quoted or not set(spelled) & set(" ,:?*\"'")
            assert spell is parameter or scpi.string(spelled) == text

    @given(text=st.text(max_size=12))
    def test_one_message_is_one_line_or_nothing_is_sent(self, text: str) -> None:
        sent: list[bytes] = []

        def answer(data: bytes) -> bytes:
            sent.append(data)
            return b"1\n"

        wire = Scpi(Loopback(answer), SOON)

        async def ask() -> None:
            async with wire.link:
                try:
                    await wire.ask(f"A? {text}")
                except WrongType:
                    assert sent == []
                    assert not (text.isascii() and text.isprintable())
                else:
                    assert sent == [f"A? {text}\n".encode()]

        run(ask())


class TestGrammar:
    @given(st.floats(allow_nan=False, allow_infinity=False, min_value=-9e37, max_value=9e37))
    def test_every_number_comes_back_as_it_was_spelled(self, value: float) -> None:
        assert scpi.number(repr(value)) == value
        assert scpi.number(f"{value:+.17E}") == value

    @given(st.binary(max_size=12).map(lambda raw: raw.decode("latin-1")))
    def test_any_text_is_understood_or_refused_by_an_error_of_ours(self, text: str) -> None:
        for parse in (scpi.number, scpi.boolean, scpi.string, queued_error):
            try:
                parse(text)
            except DriverError:
                continue

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), "a b", "", "A;B", "A\nB", "A,B"])
    def test_what_is_no_number_and_no_word_is_not_sent(self, value: float | str) -> None:
        with pytest.raises(WrongType):
            parameter(value)

    def test_errors_are_understood_in_both_common_spellings(self) -> None:
        assert queued_error('-113,"Undefined header"') == (-113, "Undefined header")
        assert queued_error("0  No Error") == (0, "No Error")
        with pytest.raises(BadReply):
            queued_error("0.000")


class LateInstrument(Loopback):
    """Answers `Q<n>?` with n, in order, each answer later by the next of `delays`; None loses it."""

    def __init__(self, delays: list[float | None], *, clears: bool) -> None:
        super().__init__(lambda data: b"")
        self.clears = clears
        self._delays: Iterator[float | None] = iter(delays)
        self._due = 0.0
        self._timers: list[asyncio.TimerHandle] = []

    def send_now(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        delay = next(self._delays, 0.0)
        if delay is not None:
            self._due = max(self._due, loop.time() + delay)
            reply = IDN[1] if data == IDN[0] else data[1:-2] + b"\n"
            self._timers.append(loop.call_at(self._due, self.inbox.feed, reply))

    async def resync(self, quiet: float) -> None:
        if self.clears:
            self._due = 0.0
            for timer in self._timers:
                timer.cancel()
        await super().resync(quiet)


lateness = st.one_of(st.none(), st.floats(0.0, 0.02), st.floats(0.0, 1.5))


@pytest.mark.parametrize("clears", [False, True])
@given(delays=st.lists(lateness, max_size=30), asked=st.lists(st.integers(0, 99), max_size=15))
def test_an_answer_is_that_of_its_own_query_or_none(
    clears: bool, delays: list[float | None], asked: list[int]
) -> None:
    async def converse() -> None:
        async with LateInstrument([0.0, *delays], clears=clears) as link:
            wire = Scpi(link, SOON)
            await wire.hello()
            for n in asked:
                try:
                    assert await wire.ask(f"Q{n}?") == str(n)
                except DriverError:
                    continue

    run(converse())


@pytest.mark.parametrize("clears", [False, True])
@given(delays=st.lists(lateness, max_size=20))
def test_an_instrument_that_answers_again_is_understood_again(
    clears: bool, delays: list[float | None]
) -> None:
    async def converse() -> None:
        async with LateInstrument([0.0, *delays], clears=clears) as link:
            wire = Scpi(link, SOON)
            await wire.hello()
            for n in repeat(7, 40):
                try:
                    await wire.ask(f"Q{n}?")
                except DriverError:
                    await asyncio.sleep(0.2)
            assert await wire.ask("Q42?", parse=scpi.number) == 42

    run(converse())


def test_a_fence_that_answers_late_is_waited_for_and_not_left_on_the_line() -> None:
    async def converse() -> None:
        async with LateInstrument([0.0, None, 0.08, 0.04], clears=False) as link:
            wire = Scpi(link, SOON)
            await wire.hello()
            with pytest.raises(LinkTimeout):
                await wire.ask("Q1?")
            assert await wire.ask("Q2?") == "2"

    run(converse())


def test_the_surplus_answer_of_a_fence_is_nobodys_value() -> None:
    async def converse() -> None:
        delays = [0.0, None, 0.3, 0.265, 0.23, 0.05, 0.05]
        async with LateInstrument(delays, clears=False) as link:
            wire = Scpi(link, SOON)
            await wire.hello()
            with pytest.raises(LinkTimeout):
                await wire.ask("Q1?")
            with pytest.raises(ConnectFailed):  # three fences, each too late
                await wire.ask("Q2?")
            await asyncio.sleep(0.12)
            with pytest.raises(BadReply, match="the answer of an earlier"):
                await wire.ask("Q3?")
            assert await wire.ask("Q4?") == "4"

    run(converse())


def test_a_slow_query_is_waited_for_and_others_are_not() -> None:
    async def converse() -> None:
        async with LateInstrument([0.0, 2.0, 2.0, 2.0], clears=True) as link:
            wire = Scpi(link, SOON)
            await wire.hello()
            slow = scpi.ScpiRef(scpi.number, str, "Q5?", patience=3.0)
            assert await wire.read([slow]) == [5.0]
            assert await wire.ask("Q6?", patience=3.0) == "6"
            with pytest.raises(LinkTimeout):
                await wire.ask("Q7?")

    run(converse())
