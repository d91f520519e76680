"""SCPI: dialogues from manuals, and what must hold whatever an instrument answers, and when."""

from __future__ import annotations

from enum import Enum

import pytest

from drivers.driver import Identity
from drivers.errors import BadReply, ConnectFailed, DeviceError, LinkTimeout
from drivers.protocol import scpi
from drivers.protocol.scpi import Scpi
from drivers.transport.link import Timeouts
from drivers.transport.memory import Script

SOON = Timeouts(turn=1.0, first_byte=0.05, next_byte=0.02, whole=0.2)
IDN = (b"*IDN?\n", b"Maker,M1,SN7,1.0,b\n")
NO_ERROR = (b"SYST:ERR?\n", b'+0,"No error"\n')


class Band(Enum):
    """How wide the filter is."""

    WIDE = "WID"
    NARROW = "NARR"


class Instrument(scpi.ScpiDriver):
    """An instrument with one of everything."""

    identity = r"Maker,M1,.*"

    volts = scpi.reading("MEAS:VOLT?", unit="V", doc="Voltage measured.")
    amps = scpi.reading("MEAS:CURR?", unit="A", doc="Current measured.")
    low = scpi.reading("STAT?", int, lambda text: int(text) & 1, doc="The low bit.")
    high = scpi.reading("STAT?", int, lambda text: int(text) >> 1, doc="The other bits.")
    voltage = scpi.setting("VOLT", unit="V", low=-5, high=5, confirm=True, doc="Voltage wanted.")
    output = scpi.switch("OUTP", doc="Whether it is on.")
    band = scpi.choice("BAND", Band, doc="Filter.")
    label = scpi.text("DISP:TEXT", doc="What the display shows.")


def scripted(*dialogue: tuple[bytes, bytes], ask_errors: bool = True) -> tuple[Script, Instrument]:
    script = Script(*dialogue)
    return script, Instrument(Scpi(script, SOON, ask_errors=ask_errors))


class TestHello:
    async def test_an_instrument_names_itself_in_four_fields(self) -> None:
        script, device = scripted(IDN)
        async with script:
            assert await device.meet("SN7") == Identity("Maker,M1,SN7,1.0,b", "M1", "SN7", "1.0,b")

    async def test_a_garbled_first_answer_is_asked_for_again(self) -> None:
        script, device = scripted((b"*IDN?\n", b"\xff\x00r,M1\n"), IDN)
        async with script:
            assert (await device.identify()).model == "M1"

    async def test_half_a_message_of_somebody_else_costs_one_retry(self) -> None:
        script, device = scripted((b"*IDN?\n", b""), IDN)
        async with script:
            assert (await device.identify()).model == "M1"

    async def test_a_value_that_comes_first_is_not_taken_for_the_name(self) -> None:
        script, device = scripted((b"*IDN?\n", b"5.000\n"), IDN)
        async with script:
            assert (await device.identify()).model == "M1"

    async def test_an_instrument_that_says_little_twice_is_believed(self) -> None:
        script, device = scripted((b"*IDN?\n", b"OLD METER\n"), (b"*IDN?\n", b"OLD METER\n"))
        async with script:
            assert await device.identify() == Identity("OLD METER")

    async def test_a_value_that_comes_late_is_not_taken_for_the_name(self) -> None:
        script, device = scripted((b"*IDN?\n", b""), (b"*IDN?\n", b"5.000\n"), IDN)
        async with script:
            assert (await device.identify()).model == "M1"

    async def test_a_dead_instrument_is_asked_twice_and_no_more(self) -> None:
        script, device = scripted((b"*IDN?\n", b""), (b"*IDN?\n", b""))
        async with script:
            with pytest.raises(LinkTimeout, match=r"\*IDN\?: no reply within"):
                await device.identify()
        script.assert_finished()

    async def test_another_instrument_on_the_same_link_is_met_as_itself(self) -> None:
        script, device = scripted(IDN, (b"MEAS:VOLT?\n", b""), (b"*IDN?\n", b"Maker,M2,SN8,2\n"))
        async with script:
            await device.identify()
            with pytest.raises(LinkTimeout):
                await device.volts.read()
            assert (await device.identify()).model == "M2"


class TestRead:
    async def test_values_of_one_query_share_its_answer(self) -> None:
        script, device = scripted((b"STAT?\n", b"5\n"), (b"MEAS:VOLT?\n", b"+1.50000000E+00\r\n"))
        async with script:
            assert await device.read(["low", "volts", "high"]) == {
                "low": 1,
                "volts": 1.5,
                "high": 2,
            }

    @pytest.mark.parametrize("reply", [b"5.0V", b"5,0", b"1.0;2.0", b"nan", b"inf", b"0x10", b"--"])
    async def test_a_value_that_makes_no_sense_fails_alone(self, reply: bytes) -> None:
        script, device = scripted(
            IDN, (b"MEAS:VOLT?\n", reply + b"\n"), IDN, (b"MEAS:CURR?\n", b"2\n")
        )
        async with script:
            await device.identify()
            values = await device.read(["volts", "amps"])
        assert isinstance(values["volts"], BadReply)
        assert values["amps"] == 2.0
        script.assert_finished()

    @pytest.mark.parametrize("reply", [b"\xb55", b"", b"\x00"])
    async def test_what_is_no_text_fails_alone(self, reply: bytes) -> None:
        script, device = scripted(IDN, (b"MEAS:VOLT?\n", reply + b"\n"), IDN)
        async with script:
            await device.identify()
            with pytest.raises(BadReply, match=r"MEAS:VOLT\?: .* baud rate"):
                await device.volts.read()

    @pytest.mark.parametrize(
        ("reply", "sentence"),
        [
            (b"+9.90000000E+37", "overrange"),
            (b"-9.9E37", "overrange"),
            (b"9.91E37", "no valid reading"),
        ],
    )
    async def test_beyond_the_range_is_no_number_and_no_reason_to_resynchronise(
        self, reply: bytes, sentence: str
    ) -> None:
        script, device = scripted((b"MEAS:VOLT?\n", reply + b"\n"), (b"MEAS:CURR?\n", b"2\n"))
        async with script:
            values = await device.read(["volts", "amps"])
        assert isinstance(values["volts"], DeviceError)
        assert sentence in str(values["volts"])
        assert values["amps"] == 2.0

    async def test_what_comes_unasked_is_counted_and_not_parsed(self) -> None:
        script, device = scripted((b"MEAS:VOLT?\n", b"1\n"))
        async with script:
            script.inbox.feed(b"9\n")
            assert await device.volts.read() == 1.0
        assert device.wire.discarded == 2

    async def test_an_error_names_what_was_asked(self) -> None:
        script, device = scripted((b"MEAS:VOLT?\n", b""))
        async with script:
            with pytest.raises(LinkTimeout, match=r"^MEAS:VOLT\?: no reply"):
                await device.volts.read()


class TestWrite:
    async def test_a_setting_is_sent_once_asked_for_errors_and_read_back(self) -> None:
        script, device = scripted(
            NO_ERROR, (b"VOLT 1.235\n", b""), NO_ERROR, (b"VOLT?\n", b"+1.23500000E+00\n")
        )
        async with script:
            await device.voltage.write(1.23456)
        script.assert_finished()

    async def test_a_refusal_tells_code_and_text_and_empties_the_queue(self) -> None:
        script, device = scripted(
            NO_ERROR,
            (b"OUTP ON\n", b""),
            (b"SYST:ERR?\n", b'-221,"Settings conflict"\n'),
            (b"SYST:ERR?\n", b'-113,"Undefined header"\n'),
            NO_ERROR,
            (b"OUTP?\n", b"0\n"),
        )
        async with script:
            with pytest.raises(DeviceError, match=r"^OUTP ON: -221 Settings conflict; -113 Und"):
                await device.output.write(True)
            assert await device.output.read() is False
        script.assert_finished()

    async def test_errors_of_others_are_not_blamed_on_a_command_of_ours(self) -> None:
        script, device = scripted(
            (b"SYST:ERR?\n", b"-410 Query INTERRUPTED\n"), NO_ERROR, (b"OUTP OFF\n", b""), NO_ERROR
        )
        async with script:
            await device.output.write(False)
        assert list(device.wire.unclaimed) == ["-410 Query INTERRUPTED"]

    async def test_the_error_of_a_query_that_failed_is_not_blamed_on_the_next_command(self) -> None:
        set_output = (NO_ERROR, (b"OUTP ON\n", b""), NO_ERROR)
        script, device = scripted(
            IDN,
            *set_output,
            (b"MEAS:VOLT?\n", b""),
            IDN,
            (b"SYST:ERR?\n", b'-113,"Undefined header"\n'),
            *set_output,
        )
        async with script:
            await device.identify()
            await device.output.write(True)
            with pytest.raises(LinkTimeout):
                await device.volts.read()
            await device.output.write(True)
        script.assert_finished()

    async def test_a_queue_that_never_ends_does_not_hold_the_link(self) -> None:
        broken = (b"SYST:ERR?\n", b'-350,"Queue overflow"\n')
        script, device = scripted(NO_ERROR, (b"OUTP ON\n", b""), *[broken] * 32)
        async with script:
            with pytest.raises(DeviceError, match="-350"):
                await device.output.write(True)
        script.assert_finished()

    async def test_a_command_that_was_dropped_silently_is_noticed(self) -> None:
        script, device = scripted(
            NO_ERROR, (b"VOLT 2.000\n", b""), NO_ERROR, (b"VOLT?\n", b"1.999\n")
        )
        async with script:
            with pytest.raises(DeviceError, match=r"VOLT 2.000: no error, but VOLT\? says 1.999"):
                await device.voltage.write(2.0)

    async def test_an_instrument_without_a_queue_is_not_asked_for_errors(self) -> None:
        script, device = scripted((b"OUTP ON\n", b""), ask_errors=False)
        async with script:
            await device.output.write(True)
        script.assert_finished()

    async def test_a_write_is_never_repeated(self) -> None:
        script, device = scripted(NO_ERROR, (b"OUTP ON\n", b""), (b"SYST:ERR?\n", b""))
        async with script:
            with pytest.raises(LinkTimeout) as caught:
                await device.output.write(True)
        assert caught.value.sent

    async def test_nothing_counts_as_sent_when_the_link_was_not_in_step(self) -> None:
        script, device = scripted(IDN, (b"MEAS:VOLT?\n", b""), *[(b"*IDN?\n", b"")] * 3)
        async with script:
            await device.identify()
            with pytest.raises(LinkTimeout):
                await device.volts.read()
            with pytest.raises(ConnectFailed, match="OUTP ON: can't get back in step") as caught:
                await device.output.write(True)
        assert not caught.value.sent
        script.assert_finished()

    async def test_negative_nothing_is_zero(self) -> None:
        script, device = scripted(NO_ERROR, (b"VOLT 0.000\n", b""), NO_ERROR, (b"VOLT?\n", b"0\n"))
        async with script:
            await device.voltage.write(-0.0001)

    async def test_a_choice_is_spelled_and_understood_as_the_instrument_does(self) -> None:
        script, device = scripted(
            NO_ERROR, (b"BAND NARR\n", b""), NO_ERROR, (b"BAND?\n", b"narr\n"), (b"BAND?\n", b"X\n")
        )
        async with script:
            await device.band.write(Band.NARROW)
            assert await device.band.read() is Band.NARROW
            with pytest.raises(BadReply, match="none of WID, NARR"):
                await device.band.read()

    async def test_a_text_is_quoted(self) -> None:
        script, device = scripted(
            NO_ERROR,
            (b'DISP:TEXT "say ""hi"", all"\n', b""),
            NO_ERROR,
            (b"DISP:TEXT?\n", b'"say ""hi"", all"\n'),
        )
        async with script:
            await device.label.write('say "hi", all')
            assert await device.label.read() == 'say "hi", all'


class TestAskAndTell:
    async def test_parameters_follow_the_header(self) -> None:
        script, device = scripted(
            (b"MEAS:VOLT:DC? 10,0.003\n", b"+1.0E+01\n"),
            NO_ERROR,
            (b"TRIG:SOUR IMM\n", b""),
            NO_ERROR,
        )
        async with script:
            assert await device.wire.ask("MEAS:VOLT:DC?", 10, 0.003, parse=scpi.number) == 10.0
            await device.wire.tell("TRIG:SOUR", "IMM")
        script.assert_finished()

    async def test_a_reply_that_makes_no_sense_leaves_the_link_in_doubt(self) -> None:
        script, device = scripted(IDN, (b"A?\n", b"?\n"), IDN, (b"B?\n", b"2\n"))
        async with script:
            await device.identify()
            with pytest.raises(BadReply, match=r"A\?: '\?' came"):
                await device.wire.ask("A?", parse=scpi.number)
            assert await device.wire.ask("B?") == "2"
        script.assert_finished()
