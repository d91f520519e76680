"""The pure parts of the session: topics, status, pace, answers and what waits."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.fleet.samples import Snapshot
from agent.fleet.states import DeviceState
from agent.mqtt.announcements import Announced, wait_before
from agent.mqtt.outbox import KEPT as WAITING
from agent.mqtt.outbox import Message, Outbox
from agent.mqtt.status import Seen, Session, next_session
from agent.mqtt.topics import Topics, answerable
from agent.safety.answers import KEPT, KEPT_S, MOST, Answers

TOPICS = Topics("ws1")


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def utc(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def test_a_topic_is_taken_apart_as_it_was_put_together() -> None:
    assert TOPICS.verb("lab/v1/ws1/command/set") == "set"
    assert TOPICS.described(TOPICS.description("psu1")) == "psu1"


@pytest.mark.parametrize(
    "topic",
    ["lab/v1/ws2/command/set", "lab/v1/ws1/command/", "lab/v1/ws1/command/a/b", "", "command/set"],
)
def test_other_topics_are_no_requests(topic: str) -> None:
    assert TOPICS.verb(topic) is None
    assert TOPICS.described(topic) is None


@given(st.text(), st.text(max_size=9))
def test_no_topic_whatever_breaks_the_parser(prefix: str, level: str) -> None:
    for topic in (prefix, f"lab/v1/ws1/{prefix}", f"lab/v1/ws1/command/{level}"):
        verb = TOPICS.verb(topic)
        assert verb is None or topic == f"lab/v1/ws1/command/{verb}"


@pytest.mark.parametrize("topic", ["clients/7/answers", "lab/v1/ws1/reply/x", "lab/v1/a/reply/b/c"])
def test_answers_may_go_to_the_requesters_own_topics(topic: str) -> None:
    assert answerable(topic)


@pytest.mark.parametrize(
    "topic",
    [
        *("", "a/+", "#", "a\0b", "$SYS/x", "x" * 65_536),
        *("lab/v1/ws2/command/stop", "lab/v1/ws1/status", "lab/v1"),
    ],
)
def test_answers_may_not_go_where_they_would_mean_something_else(topic: str) -> None:
    assert not answerable(topic)


def test_session_numbers_only_grow_even_when_the_clock_is_set_back() -> None:
    assert next_session(1000.0, 0) == 1_000_000
    assert next_session(10.0, 1_000_000) == 1_000_001


@given(st.binary(max_size=60))
def test_no_status_whatever_breaks_the_session(payload: bytes) -> None:
    session = Session(station="ws1", version="1", number=5, begun=0.0)
    assert session.sees(payload) is Seen.OLDER


@pytest.mark.parametrize(
    ("payload", "seen"),
    [
        (b'{"state":"offline","session":4}', Seen.OLDER),
        (b'{"state":"offline","session":5}', Seen.OLDER),
        (b'{"state":"online","session":6}', Seen.NEWER),
        (b'{"state":"online","session":true}', Seen.OLDER),
        (b'{"state":"online","session":"9"}', Seen.OLDER),
        (b"", Seen.OLDER),
    ],
)
def test_a_status_is_own_older_or_newer(payload: bytes, seen: Seen) -> None:
    session = Session(station="ws1", version="1", number=5, begun=0.0)
    assert session.sees(payload) is seen
    assert session.sees(session.birth) is Seen.OWN
    assert session.sees(session.will) is Seen.OLDER


def test_a_change_of_state_does_not_wait_and_other_changes_do() -> None:
    ready = Snapshot(device="psu1", state=DeviceState.READY, since=0.0)
    offline = Snapshot(device="psu1", state=DeviceState.OFFLINE, since=0.0)
    assert wait_before(None, ready, 10.0, 5.0) == 0.0
    assert wait_before(Announced(ready, 9.0), offline, 10.0, 5.0) == 0.0
    assert wait_before(Announced(ready, 9.0), ready, 10.0, 5.0) == 4.0
    assert wait_before(Announced(ready, 1.0), ready, 10.0, 5.0) == 0.0


async def test_an_answer_is_known_for_a_quarter_of_an_hour() -> None:
    clock = Hand()
    answers = Answers[bytes](clock)
    answers.begin("a", "print", 5.0)
    clock.now = 10 * KEPT_S  # as long as it takes, it is under way
    assert answers.find("a") is not None
    answers.end("a", b"done")
    clock.now += KEPT_S
    known = answers.find("a")
    assert known is not None
    assert known.answer.result() == b"done"
    clock.now += 1
    assert answers.find("a") is None


async def test_no_more_than_a_thousand_answers_are_kept_of_requests_that_have_expired() -> None:
    clock = Hand()
    answers = Answers[bytes](clock)
    answers.begin("long", "print", 5.0)
    for number in range(KEPT + 1):
        answers.begin(str(number), "", 5.0)
        answers.end(str(number), b"")
    assert answers.find("0") is not None  # it could come again, and would be carried out again
    clock.now += 6.0
    answers.begin("last", "", 5.0)
    answers.end("last", b"")
    assert answers.find("1") is None
    assert answers.find("2") is not None
    assert answers.find("long") is not None


async def test_answers_that_can_not_be_forgotten_yet_fill_the_memory_up() -> None:
    clock = Hand()
    answers = Answers[bytes](clock)
    for number in range(MOST):
        assert not answers.full
        answers.begin(str(number), "", 5.0)
        answers.end(str(number), b"")
    assert answers.full
    clock.now += 6.0
    assert not answers.full


def message(payload: bytes) -> Message:
    return Message(topic="event", payload=payload)


class Broker:
    """Takes messages, and can refuse to acknowledge."""

    def __init__(self, outbox: Outbox) -> None:
        self.taken: list[bytes] = []
        self.acknowledges = True
        self._outbox = outbox

    async def publish(self, message: Message) -> None:
        self.taken.append(message.payload)
        if not self.acknowledges:
            await asyncio.Event().wait()

    async def serve_until(self, count: int) -> None:
        """Let it take so many messages, then break the connection."""
        async with asyncio.TaskGroup() as tasks:
            delivering = tasks.create_task(self._outbox.deliver(self.publish))
            async with asyncio.timeout(1):
                while len(self.taken) < count:
                    await asyncio.sleep(0)
            delivering.cancel()


async def test_messages_go_out_in_order_and_of_a_retained_topic_only_the_last() -> None:
    outbox = Outbox()
    for payload in (b"a1", b"a2", b"a3"):
        outbox.retain("state", payload)
    outbox.post(message(b"1"))
    outbox.post(message(b"2"))
    broker = Broker(outbox)
    await broker.serve_until(3)
    assert broker.taken == [b"1", b"2", b"a3"]


async def test_what_was_not_acknowledged_goes_out_again_in_order() -> None:
    outbox = Outbox()
    broken, whole = Broker(outbox), Broker(outbox)
    broken.acknowledges = False
    for number in range(20):
        outbox.post(message(b"%d" % number))
    await broken.serve_until(16)
    assert len(broken.taken) == 16
    outbox.post(message(b"20"))
    await whole.serve_until(21)
    assert whole.taken == [b"%d" % number for number in range(21)]


async def test_of_words_on_a_topic_that_were_not_acknowledged_only_the_newest_goes_out() -> None:
    outbox = Outbox()
    broken, whole = Broker(outbox), Broker(outbox)
    broken.acknowledges = False
    async with asyncio.TaskGroup() as tasks:
        delivering = tasks.create_task(outbox.deliver(broken.publish))
        async with asyncio.timeout(1):
            for word in (b"old", b"newer", b"newest"):
                outbox.retain("state", word)
                while word not in broken.taken:
                    await asyncio.sleep(0)
        delivering.cancel()
    await whole.serve_until(1)
    assert whole.taken == [b"newest"]


def test_without_a_broker_the_oldest_messages_are_dropped_and_counted() -> None:
    outbox = Outbox()
    for number in range(WAITING + 3):
        outbox.post(message(b"%d" % number))
    assert (len(outbox), outbox.dropped) == (WAITING, 3)
