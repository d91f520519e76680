from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from simulators.networked_gcode import GcodeError, Tape, parse


@given(st.binary(max_size=400))
def test_the_tape_takes_each_byte_of_any_file_once(content: bytes) -> None:
    tape = Tape(content)
    while True:
        before = tape.position
        line = tape.take()
        if line is None:
            break
        assert tape.position > before
        with contextlib.suppress(GcodeError):
            parse(line)
    assert tape.position == len(content)


def test_extended_commands_keep_quotes_in_names() -> None:
    line = parse('SDCARD_PRINT_FILE FILENAME="a \\"b\\" c.gcode"')
    assert line is not None
    assert line.options == {"FILENAME": 'a "b" c.gcode'}
