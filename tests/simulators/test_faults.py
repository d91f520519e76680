"""Faults spoil replies exactly as told, and as often as told."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.faults import KINDS, Disconnect, Fault, Faults, Kind, Restart

REPLY = b"5.001\n"


def faults(*rules: Fault) -> Faults:
    made = Faults(random.Random(1))
    for rule in rules:
        made.add(rule)
    return made


def test_without_faults_a_reply_passes_as_it_is() -> None:
    assert faults().spoil(REPLY) == [(0.0, REPLY)]


def test_no_reply_is_no_piece_and_uses_up_no_fault() -> None:
    spoiler = faults(Fault(kind="lose", next=1))
    assert spoiler.spoil(b"") == []
    assert spoiler.spoil(REPLY) == []
    assert spoiler.spoil(REPLY) == [(0.0, REPLY)]


def test_the_next_three_replies_are_lost_and_the_fourth_is_not() -> None:
    spoiler = faults(Fault(kind="lose", next=3))
    assert [spoiler.spoil(REPLY) for _ in range(4)] == [[], [], [], [(0.0, REPLY)]]
    assert (spoiler.counts["lose"], spoiler.replies) == (3, 4)


def test_a_delayed_reply_is_whole_and_late() -> None:
    assert faults(Fault(kind="delay", next=1, seconds=0.5)).spoil(REPLY) == [(0.5, REPLY)]


def test_a_cut_reply_is_its_first_bytes() -> None:
    assert faults(Fault(kind="cut", next=1, keep=3)).spoil(REPLY) == [(0.0, b"5.0")]


def test_a_duplicate_arrives_twice() -> None:
    assert faults(Fault(kind="duplicate", next=1)).spoil(REPLY) == [(0.0, REPLY)] * 2


def test_a_disconnect_comes_after_the_first_bytes_and_ends_the_reply() -> None:
    spoiler = faults(Fault(kind="disconnect", next=1, keep=2))
    assert spoiler.spoil(REPLY) == [(0.0, b"5."), (0.0, Disconnect())]


def test_a_hang_lasts_until_it_is_cleared() -> None:
    spoiler = faults(Fault(kind="hang", next=1))
    assert [spoiler.spoil(REPLY) for _ in range(3)] == [[], [], []]
    assert spoiler.hung
    spoiler.clear()
    assert spoiler.spoil(REPLY) == [(0.0, REPLY)]


def test_faults_act_one_after_the_other() -> None:
    spoiler = faults(
        Fault(kind="duplicate", next=1),
        Fault(kind="delay", next=1, seconds=2.0),
        Fault(kind="cut", next=1, keep=1),
    )
    assert spoiler.spoil(REPLY) == [(2.0, b"5"), (2.0, b"5")]


def test_a_lost_reply_uses_up_no_later_fault() -> None:
    spoiler = faults(Fault(kind="lose", next=1), Fault(kind="duplicate", next=1))
    assert spoiler.spoil(REPLY) == []
    assert spoiler.spoil(REPLY) == [(0.0, REPLY)] * 2


def test_a_probability_holds_over_many_replies() -> None:
    spoiler = faults(Fault(kind="lose", probability=0.1))
    for _ in range(10_000):
        spoiler.spoil(REPLY)
    assert 900 < spoiler.counts["lose"] < 1100


@given(st.binary(min_size=1, max_size=40), st.integers(1, 60), st.integers())
def test_garbling_changes_as_many_bytes_as_it_says(reply: bytes, flips: int, seed: int) -> None:
    spoiler = Faults(random.Random(seed))
    spoiler.add(Fault(kind="garble", next=1, flips=flips))
    [(_, spoilt)] = spoiler.spoil(reply)
    assert isinstance(spoilt, bytes)
    assert len(spoilt) == len(reply)
    assert sum(a != b for a, b in zip(spoilt, reply, strict=True)) == min(flips, len(reply))


@given(st.binary(min_size=1, max_size=40), st.sampled_from(["cut", "disconnect"]), st.integers())
def test_a_random_cut_is_never_the_whole_reply(reply: bytes, kind: Kind, seed: int) -> None:
    spoiler = Faults(random.Random(seed))
    spoiler.add(Fault(kind=kind, next=1))
    first = spoiler.spoil(reply)[0][1]
    assert isinstance(first, bytes)
    assert len(first) < len(reply)
    assert reply.startswith(first)


RULES = st.builds(
    Fault,
    kind=st.sampled_from(KINDS),
    probability=st.floats(0.01, 1.0),
    seconds=st.floats(0.1, 5.0),
    keep=st.none() | st.integers(0, 9),
    flips=st.integers(1, 9),
)


@given(st.lists(RULES, max_size=5), st.lists(st.binary(max_size=9), max_size=20), st.integers())
def test_the_same_seed_spoils_in_the_same_way(
    rules: list[Fault], replies: list[bytes], seed: int
) -> None:
    runs = []
    for _ in range(2):
        spoiler = Faults(random.Random(seed))
        for rule in rules:
            spoiler.add(rule)
        runs.append([spoiler.spoil(reply) for reply in replies])
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"kind": "burn", "next": 1}, "fault must be one of lose, delay"),
        ({"kind": "lose"}, "needs either next or probability"),
        ({"kind": "lose", "next": 1, "probability": 0.5}, "needs either next or probability"),
        ({"kind": "lose", "next": 0}, "at least 1 reply"),
        ({"kind": "lose", "probability": 1.5}, "at most 1"),
        ({"kind": "delay", "next": 1}, "needs seconds above 0"),
        ({"kind": "cut", "next": 1, "keep": -1}, "at least 0 bytes"),
        ({"kind": "garble", "next": 1, "flips": 0}, "at least 1 byte"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(numbers: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Fault(**numbers)


def test_a_mishap_comes_after_so_many_bytes_were_heard_whatever_pieces_they_come_in() -> None:
    spoiler = faults()
    spoiler.strike(Restart(), 6)
    spoiler.strike(Disconnect(), 4)
    assert spoiler.heard(b"abc") == [b"abc"]
    assert spoiler.heard(b"defg") == [b"d", Disconnect(), b"ef", Restart(), b"g"]
    assert spoiler.heard(b"h") == [b"h"]


def test_a_hung_instrument_hears_nothing() -> None:
    spoiler = faults()
    spoiler.hang()
    assert spoiler.heard(b"abc") == []


def test_another_instrument_answers_until_that_is_cleared() -> None:
    spoiler = faults()
    spoiler.answer_as(b"001", b"002")
    assert spoiler.spoil(REPLY) == [(0.0, b"5.002\n")]
    spoiler.clear()
    assert spoiler.spoil(REPLY) == [(0.0, REPLY)]


def test_babble_comes_as_often_as_told_until_it_is_cleared() -> None:
    spoiler = faults()
    spoiler.babble(b"x", 0.5)
    assert [spoiler.chatter(dt) for dt in (0.4, 0.2, 1.0, 0.1)] == [b"", b"x", b"xx", b""]
    spoiler.clear()
    assert spoiler.chatter(9.0) == b""


@pytest.mark.parametrize(
    "trick",
    [
        lambda spoiler: spoiler.strike(Disconnect(), -1),
        lambda spoiler: spoiler.answer_as(b"", b"x"),
        lambda spoiler: spoiler.babble(b"x", 0.0),
    ],
)
def test_a_trick_that_makes_no_sense_is_refused(trick: Callable[[Faults], None]) -> None:
    with pytest.raises(ValueError, match="must be"):
        trick(faults())
