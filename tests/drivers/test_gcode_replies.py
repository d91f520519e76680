"""The words of the firmware, and what can be sent to it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocol.gcode_history import frame
from drivers.protocol.gcode_replies import Joiner, Kind, capabilities, parse
from drivers.protocol.gcode_source import prepared


@pytest.mark.parametrize("line", ["N3 T0*57", "N4 G92 E0*67", "N5 G28*22"])
def test_a_line_is_framed_as_in_the_examples_of_the_reprap_wiki(line: str) -> None:
    number, text = re.fullmatch(r"N(\d+) (.*)\*\d+", line).groups()  # type: ignore[union-attr]
    assert frame(int(number), text) == f"{line}\n".encode()


@pytest.mark.parametrize(
    ("line", "kind", "payload"),
    [
        ("ok", Kind.OK, ""),
        ("ok T:20.0 /0.0 B:19.0 /0.0 @:0", Kind.OK, "T:20.0 /0.0 B:19.0 /0.0 @:0"),
        ("okT:20.0 /0.0", Kind.OK, "T:20.0 /0.0"),
        ("ok N5 P15 B3", Kind.OK, "N5 P15 B3"),
        ("okay", Kind.TEXT, "okay"),
        ("Resend: 12", Kind.RESEND, "12"),
        ("Resend:12", Kind.RESEND, "12"),
        ("rs N12", Kind.RESEND, "12"),
        ("echo:busy: processing", Kind.BUSY, "processing"),
        ("busy: paused for user", Kind.BUSY, "paused for user"),
        ("wait", Kind.WAIT, ""),
        ("start", Kind.START, ""),
        ("started", Kind.TEXT, "started"),
        ("//action:pause", Kind.ACTION, "pause"),
        ("// action:prompt_begin Filament", Kind.ACTION, "prompt_begin Filament"),
        ("Error:checksum mismatch, Last Line: 4", Kind.LINE_ERROR, None),
        ("Error:No Line Number with checksum, Last Line: 4", Kind.LINE_ERROR, None),
        ("Error:Printer halted. kill() called!", Kind.FATAL, None),
        ("Error:MAXTEMP triggered, system stopped! Heater_ID: 0", Kind.FATAL, None),
        ("Error:Thermal Runaway, system stopped! Heater_ID: bed", Kind.FATAL, None),
        ("!! Heater extruder not heating at expected rate, halted", Kind.FATAL, None),
        ("Error:SD init fail", Kind.HARMLESS, "SD init fail"),
        ("Error:Probing Failed", Kind.ERROR, "Probing Failed"),
        ('echo:Unknown command: "M999"', Kind.UNKNOWN, 'Unknown command: "M999"'),
        ("T:20.0 /0.0 B:19.0 /0.0 @:0 W:?", Kind.TEMPERATURE, None),
        ("X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:80 Y:160 Z:1200", Kind.POSITION, None),
        ("FIRMWARE_NAME:Marlin 2", Kind.TEXT, "FIRMWARE_NAME:Marlin 2"),
    ],
)
def test_each_word_of_the_firmware_is_understood(
    line: str, kind: Kind, payload: str | None
) -> None:
    reply = parse(line)
    assert reply.kind is kind
    assert payload is None or reply.payload == payload


def test_an_error_that_a_dying_board_broke_in_two_is_put_together() -> None:
    joiner = Joiner()
    assert joiner.feed(b"Error:0") is None
    reply = joiner.feed(b": Extruder switched off. MAXTEMP triggered !")
    assert reply is not None
    assert reply.kind is Kind.FATAL


@given(st.binary(max_size=80))
def test_no_bytes_make_the_parser_stumble(raw: bytes) -> None:
    Joiner().feed(raw)


def test_a_capability_that_is_not_named_is_not_there() -> None:
    assert capabilities(["Cap:EEPROM:1", "Cap:SDCARD:0", "Cap:odd"]) == {
        "EEPROM": True,
        "SDCARD": False,
    }


def test_comments_and_blanks_are_not_sent() -> None:
    assert [prepared(line) for line in ("; all", "", "  G28 ; home", "\t")] == ["", "", "G28", ""]
