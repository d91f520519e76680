"""Program messages, headers, parameters and the error queue of IEEE 488.2 and SCPI-1999."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.ieee488 import Common
from simulators.scpi import (
    INPUT_LIMIT,
    Answer,
    Command,
    Parser,
    ScpiError,
    Status,
    WhenIdle,
    at_most,
    boolean,
    header,
    number,
    split_outside_quotes,
)


class Instrument:
    """A minimal instrument: one level, one text, and an operation that ends when it is told."""

    def __init__(self) -> None:
        self.status = Status(capacity=4)
        self.level = 0.0
        self.text = ""
        self.busy = False
        table: dict[str, Command] = {
            "[SOURce:]LEVel[:IMMediate]": self._set_level,
            "[SOURce:]LEVel[:IMMediate]?": lambda p: f"{self.level:g}",
            "[SOURce:]LEVel:TEXT": self._set_text,
            "STARt": self._start,
            "WAITed?": lambda p: WhenIdle(lambda: "done"),
        }
        common = Common(identity="A,B,C,D", status=self.status, reset=lambda: None)
        self.parser = Parser({**common.commands(), **table}, self.status, lambda: not self.busy)

    def _set_level(self, parameters: Sequence[str]) -> Answer:
        self.level = number(at_most(parameters, 1, 1)[0], 0, 10)
        return None

    def _set_text(self, parameters: Sequence[str]) -> Answer:
        self.text = at_most(parameters, 1, 1)[0]
        return None

    def _start(self, parameters: Sequence[str]) -> Answer:
        self.busy = True
        return None

    def ask(self, message: bytes) -> bytes:
        return self.parser.feed(message)


@pytest.fixture
def instrument() -> Instrument:
    return Instrument()


@pytest.mark.parametrize(
    "spelling",
    ["LEV", "LEVEL", "lev", "Level", ":LEV", "SOUR:LEV", "SOURCE:LEVEL:IMM", "LEV:IMMEDIATE"],
)
def test_short_long_and_optional_headers_are_the_same_command(
    instrument: Instrument, spelling: str
) -> None:
    instrument.ask(f"{spelling} 3\n".encode())
    assert instrument.level == 3
    assert not instrument.status.errors


@pytest.mark.parametrize("spelling", ["LEVE 3", "LE 3", "SOURC:LEV 3", "LEV:IMMEDIATELY 3"])
def test_forms_between_short_and_long_are_undefined(instrument: Instrument, spelling: str) -> None:
    instrument.ask(spelling.encode() + b"\n")
    assert instrument.status.next_error() == (-113, "Undefined header")


def test_a_line_may_come_in_any_pieces_and_with_a_carriage_return(instrument: Instrument) -> None:
    assert [instrument.ask(piece) for piece in (b"*I", b"DN?\r", b"\n")] == [b"", b"", b"A,B,C,D\n"]


def test_answers_of_one_message_are_one_line(instrument: Instrument) -> None:
    assert instrument.ask(b"LEV 2;LEV?;*IDN?\n") == b"2;A,B,C,D\n"


def test_a_unit_continues_the_path_of_the_one_before(instrument: Instrument) -> None:
    instrument.ask(b"SOUR:LEV 4;LEV 5\n")
    assert (instrument.level, list(instrument.status.errors)) == (5, [])


def test_a_common_command_leaves_the_path_alone(instrument: Instrument) -> None:
    instrument.ask(b"SOUR:LEV:IMM 4;*CLS;IMM 5\n")
    assert (instrument.level, list(instrument.status.errors)) == (5, [])


def test_a_colon_returns_to_the_root_and_a_new_line_does_too(instrument: Instrument) -> None:
    instrument.ask(b"SOUR:LEV:IMM 4;:LEV 5\nLEV 6\n")
    assert (instrument.level, list(instrument.status.errors)) == (6, [])


def test_without_the_colon_the_path_makes_another_header(instrument: Instrument) -> None:
    instrument.ask(b"SOUR:LEV:IMM 4;SOUR:LEV 5\n")
    assert instrument.level == 4
    assert instrument.status.next_error()[0] == -113


def test_separators_inside_quotes_belong_to_the_string(instrument: Instrument) -> None:
    instrument.ask(b'LEV:TEXT "a;b,c"\n')
    assert (instrument.text, list(instrument.status.errors)) == ('"a;b,c"', [])


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"LEV 11\n", -222),
        (b"LEV -1e-9\n", -222),
        (b"LEV 1e999\n", -222),
        (b"LEV 3V\n", -131),
        (b"LEV three\n", -104),
        (b"LEV nan\n", -104),
        (b"LEV\n", -109),
        (b"LEV 1,2\n", -108),
        (b"*IDN? 1\n", -108),
        (b"LEV;;LEV?\n", -109),
        (b"LEV 3;;LEV 4\n", -102),
        (b"!LEV 3\n", -102),
        (b'LEV:TEXT "open\n', -151),
        (b"LEV \xff\n", -101),
    ],
)
def test_what_is_wrong_is_queued_with_its_code(
    instrument: Instrument, message: bytes, code: int
) -> None:
    instrument.ask(message)
    assert instrument.status.next_error()[0] == code


def test_a_refused_value_changes_nothing(instrument: Instrument) -> None:
    instrument.ask(b"LEV 3\nLEV 11\n")
    assert instrument.ask(b"LEV?\n") == b"3\n"


def test_the_queue_is_first_in_first_out_and_ends_in_no_error(instrument: Instrument) -> None:
    instrument.ask(b"NONE\nLEV 11\n")
    taken = [instrument.status.next_error()[0] for _ in range(3)]
    assert taken == [-113, -222, 0]


def test_a_full_queue_says_so_in_its_last_place(instrument: Instrument) -> None:
    instrument.ask(b"NONE\n" * 9)
    taken = [instrument.status.next_error()[0] for _ in range(5)]
    assert taken == [-113, -113, -113, -350, 0]


def test_power_on_is_an_event_that_is_seen_once(instrument: Instrument) -> None:
    assert [instrument.ask(b"*ESR?\n") for _ in range(2)] == [b"+128\n", b"+0\n"]


def test_errors_set_their_event_bits_and_the_status_byte(instrument: Instrument) -> None:
    instrument.ask(b"*CLS;*ESE 32;*SRE 32;NONE\n")
    assert instrument.ask(b"*STB?\n") == b"+100\n"  # 4 error, 32 event, 64 service request
    assert instrument.ask(b"*ESR?\n") == b"+32\n"
    assert instrument.ask(b"*STB?\n") == b"+4\n"


def test_cls_empties_queue_and_events_but_not_the_enables(instrument: Instrument) -> None:
    instrument.ask(b"*ESE 48\nNONE\n*CLS\n")
    assert instrument.ask(b"*ESR?;*ESE?\n") == b"+0;+48\n"
    assert instrument.status.next_error() == (0, "")


def test_opc_query_and_all_behind_it_wait_until_idle(instrument: Instrument) -> None:
    assert instrument.ask(b"LEV 1;STARt;*OPC?\nLEV 2;LEV?\n") == b""
    assert instrument.level == 1
    instrument.busy = False
    assert instrument.parser.proceed() == b"1\n2\n"


def test_opc_sets_its_bit_only_when_idle(instrument: Instrument) -> None:
    assert instrument.ask(b"*CLS;STARt;*OPC;*ESR?\n") == b"+0\n"
    instrument.busy = False
    assert instrument.parser.proceed() == b""
    assert instrument.ask(b"*ESR?\n") == b"+1\n"


def test_wai_holds_what_follows(instrument: Instrument) -> None:
    assert instrument.ask(b"STARt;*WAI;LEV 7\n") == b""
    assert instrument.level == 0
    instrument.busy = False
    instrument.parser.proceed()
    assert instrument.level == 7


def test_a_new_connection_forgets_half_lines_and_waiting_answers(instrument: Instrument) -> None:
    instrument.ask(b"STARt;WAIT?\nLEV")
    instrument.parser.forget()
    instrument.busy = False
    assert instrument.ask(b"*IDN?\n") == b"A,B,C,D\n"


def test_a_line_without_end_is_thrown_away(instrument: Instrument) -> None:
    instrument.ask(b"x" * (INPUT_LIMIT + 1))
    assert instrument.ask(b"*IDN?\n") == b"A,B,C,D\n"
    assert instrument.status.next_error()[0] == -363


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_no_bytes_make_the_parser_fail(pieces: list[bytes]) -> None:
    instrument = Instrument()
    for piece in pieces:
        instrument.ask(piece)
    instrument.busy = False
    instrument.parser.proceed()
    assert instrument.ask(b"\n*IDN?\n").endswith(b"A,B,C,D\n")


@given(st.lists(st.sampled_from([b"LEV 3", b"LEV?", b"*IDN?", b";", b"\n", b"NO"])), st.data())
def test_how_a_message_is_cut_into_pieces_does_not_matter(
    parts: list[bytes], data: st.DataObject
) -> None:
    message = b"".join(parts) + b"\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(message)))))
    edges = [0, *cuts, len(message)]
    whole, cut = Instrument(), Instrument()
    answers = [cut.ask(message[a:b]) for a, b in itertools.pairwise(edges)]
    assert b"".join(answers) == whole.ask(message)
    assert cut.status.errors == whole.status.errors


@given(st.floats(0, 10))
def test_every_number_in_range_is_read_as_it_is_written(value: float) -> None:
    assert number(repr(value), 0, 10) == value


@pytest.mark.parametrize("text", ["TRUE", "2", "", "O"])
def test_a_boolean_is_one_of_four_words(text: str) -> None:
    with pytest.raises(ScpiError, match="-224"):
        boolean(text)


def test_headers_compile_from_the_notation_of_manuals() -> None:
    pattern = header("[SENSe:]VOLTage[:DC]:RANGe:AUTO?")
    for text in ("VOLT:RANG:AUTO?", "sense:voltage:dc:range:auto?"):
        assert pattern.fullmatch(text)
    assert not pattern.fullmatch("VOLT:RANG:AUTO")


def test_splitting_keeps_quotes_whole() -> None:
    assert split_outside_quotes("""a,"b,c",'d,"'""", ",") == ["a", '"b,c"', """'d,"'"""]
    assert split_outside_quotes("", ",") == []
