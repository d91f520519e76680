"""Calls and answers as frames: however they are split, and whatever comes instead."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DriverError, LinkTimeout
from drivers.transport.link import Timeouts
from drivers.transport.visa_calls import (
    Answer,
    BadFrame,
    Call,
    Frames,
    answer_frame,
    call_frame,
    call_of,
    error_frame,
    result_of,
)

seconds = st.floats(0.001, 1000)
calls = st.builds(
    Call,
    method=st.sampled_from(["open", "close", "write", "line", "block", "resync"]),
    data=st.binary(max_size=200),
    end=st.binary(max_size=5),
    count=st.integers(0, 1 << 28),
    quiet=seconds,
    timeouts=st.builds(Timeouts, first_byte=seconds, whole=seconds),
)
answers = st.builds(Answer, data=st.binary(), unasked=st.binary(), clears=st.booleans())


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(st.lists(calls, max_size=5), st.lists(st.integers(0), max_size=9), seconds)
def test_calls_arrive_whole_in_order_and_with_their_numbers(
    said: list[Call], places: list[int], within: float
) -> None:
    stream = b"".join(call_frame(call, number, within) for number, call in enumerate(said))
    frames = Frames()
    heard = [call_of(frame) for piece in cut(stream, places) for frame in frames.feed(piece)]
    assert heard == [(call, number, within) for number, call in enumerate(said)]


@given(st.lists(answers, max_size=5), st.lists(st.integers(0), max_size=9))
def test_answers_arrive_with_every_byte_on_its_side(said: list[Answer], places: list[int]) -> None:
    stream = b"".join(answer_frame(number, answer) for number, answer in enumerate(said))
    frames = Frames()
    heard = [result_of(frame) for piece in cut(stream, places) for frame in frames.feed(piece)]
    assert [(number, result()) for number, result in heard] == list(enumerate(said))


@given(st.binary(), st.lists(st.integers(0), max_size=3))
def test_whatever_else_comes_is_no_answer(junk: bytes, places: list[int]) -> None:
    frames = Frames()
    with suppress(BadFrame):
        heard = [result_of(frame) for piece in cut(junk, places) for frame in frames.feed(piece)]
        assert heard == []  # it still waits for more


@pytest.mark.parametrize("head", [b"[]", b"{}", b'{"number": "x"}', b"\xff", b'{"number": 1}'])
def test_a_frame_of_the_right_size_with_the_wrong_words_is_refused(head: bytes) -> None:
    stream = len(head).to_bytes(4, "big") + bytes(4) + head
    with pytest.raises(BadFrame):
        list(map(result_of, Frames().feed(stream)))


@pytest.mark.parametrize("error", [LinkTimeout("babble"), LinkTimeout("babble").unsent()])
def test_an_error_arrives_with_whether_anything_was_sent(error: LinkTimeout) -> None:
    ((_, result),) = map(result_of, Frames().feed(error_frame(7, error)))
    with pytest.raises(LinkTimeout) as raised:
        result()
    assert raised.value.sent is error.sent


@pytest.mark.parametrize(
    ("raised", "kind", "sentence"),
    [
        (LinkTimeout("no whole reply in time"), LinkTimeout, "no whole reply in time"),
        (KeyError("status"), RuntimeError, r"KeyError\('status'\)"),  # a defect stays one
        (DriverError("x" * 100_000), DriverError, "xxx"),
    ],
)
def test_an_error_arrives_as_what_it_is(
    raised: Exception, kind: type[Exception], sentence: str
) -> None:
    ((number, result),) = map(result_of, Frames().feed(error_frame(7, raised)))
    assert number == 7
    with pytest.raises(kind, match=sentence):
        result()
