"""A recording as plain data: it comes back as it went, tells no secret, and says what frames mean."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadReply
from drivers.transport.address import Address
from drivers.transport.modbus import RtuFrames, read_request
from drivers.transport.recorder import LONGEST_ENTRY, Kind, Recorder
from drivers.transport.recording import BYTES, Recording, masked, recording_from
from drivers.transport.wording import words_for

BYTE_KINDS: tuple[Kind, ...] = ("sent", "received")
TEXT_KINDS: tuple[Kind, ...] = ("opened", "closed", "asked", "noted")
EVENTS = st.lists(
    st.tuples(st.sampled_from(BYTE_KINDS + TEXT_KINDS), st.binary(max_size=40)), max_size=20
)


def recording(**changes: Any) -> Recording:
    recorder = Recorder(lambda: 100.0)
    recorder.sent(b"MEAS:VOLT?\n")
    recorder.received(b"\x00" * (LONGEST_ENTRY + 1))
    recorder.asked("psu1 read voltage")
    about = {
        "station": "bench-1",
        "device": "psu1",
        "driver": "toy",
        "time": "2026-11-23T01:00:00Z",
    }
    return Recording.of(recorder, Address.parse("tcp://192.0.2.1:5025"), **{**about, **changes})


def test_it_comes_back_as_it_was_written() -> None:
    written = recording(values={"voltage": 5.0}, expected={"voltage": (5.0, "off")})
    assert recording_from(json.loads(written.as_json())) == written


@given(events=EVENTS)
def test_every_entry_comes_back_with_its_bytes(events: list[tuple[Kind, bytes]]) -> None:
    entries = tuple(
        (12.5, kind, data if kind in BYTES else data.hex().encode(), 0) for kind, data in events
    )
    whole = tuple((time, kind, data, len(data)) for time, kind, data, _ in entries)
    written = replace(recording(), monotonic=12.5, entries=whole)
    assert recording_from(json.loads(written.as_json())).entries == whole


def test_every_entry_stands_on_a_line_of_its_own_and_text_can_be_read() -> None:
    lines = recording().as_json().splitlines()
    [sent] = [line for line in lines if '"sent"' in line]
    assert json.loads(sent.strip(" ,"))["text"] == "MEAS:VOLT?\\n"


@pytest.mark.parametrize(
    "form",
    [
        None,
        [],
        {},
        {"schema": "labkeeper/recording/2"},
        {**json.loads(recording().as_json()), "entries": [{"at": 0, "kind": "heard"}]},
        {**json.loads(recording().as_json()), "entries": [{"at": 0, "kind": "sent", "hex": "q"}]},
    ],
)
def test_what_is_no_recording_is_refused_with_a_sentence(form: Any) -> None:
    with pytest.raises(BadReply, match="recording"):
        recording_from(form)


def test_what_opens_a_door_is_masked_in_the_address() -> None:
    login = Address("serial", "rfc2217://tech:pa55@192.0.2.1:4000", 0, {"baudrate": "9600"})
    assert masked(login) == "serial://rfc2217://***@192.0.2.1:4000?baudrate=9600"
    code = Address("tcp", "192.0.2.1", 990, {"access_code": "12345678"})
    assert masked(code) == "tcp://192.0.2.1:990?access_code=***"
    path = "serial:///dev/serial/by-id/usb-a@b-port0?baudrate=9600"
    assert masked(Address.parse(path)) == path


RTU, TCP = words_for("modbus+rtu"), words_for("modbus+tcp")


def test_frames_on_a_serial_bus_name_the_unit_and_what_is_asked() -> None:
    asked = RtuFrames().encode(read_request(7, "holding", 1000, 2))
    assert RTU(asked, "sent") == "unit 7: read 2 holding registers from 1000"
    wrong = asked[:-1] + bytes([asked[-1] ^ 1])
    assert "wrong CRC" in RTU(wrong, "sent")


@pytest.mark.parametrize(
    ("kind", "pdu", "words"),
    [
        ("received", "03 04 00fa 0010", "registers 250 16"),
        ("received", "83 02", "refuses function 3 with exception 2"),
        ("sent", "06 0001 00ff", "write register at 1 = 255"),
        ("sent", "10 0001 0002 04 0001 0002", "write 2 registers at 1"),
        ("received", "10 0001 0002", "wrote 2 registers at 1"),
        ("sent", "08 0000 beef", "echo beef"),
        ("received", "01 01 05", "bits 10100000"),
    ],
)
def test_frames_over_tcp_are_in_words(kind: Kind, pdu: str, words: str) -> None:
    body = bytes.fromhex(pdu)
    frame = b"\x00\x2a\x00\x00" + (len(body) + 1).to_bytes(2) + b"\x09" + body
    assert TCP(frame, kind) == f"#42 unit 9: {words}"


@given(data=st.binary(), kind=st.sampled_from(BYTE_KINDS))
def test_no_bytes_are_too_strange_to_be_worded(data: bytes, kind: Kind) -> None:
    for words in (RTU, TCP, words_for("tcp")):
        assert words(data, kind).isprintable()
