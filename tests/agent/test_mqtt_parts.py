"""The pure parts of the session: topics, requests, status, pace, answers and what waits."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.fleet.samples import Snapshot
from agent.fleet.states import DeviceState
from agent.mqtt.announcements import Announced, wait_before
from agent.mqtt.answers import KEPT, KEPT_S, Answers
from agent.mqtt.outbox import KEPT as WAITING
from agent.mqtt.outbox import Message, Outbox
from agent.mqtt.request import BadRequest, parse
from agent.mqtt.status import Seen, Session, next_session
from agent.mqtt.topics import Topics, answerable

TOPICS = Topics("ws1")
GOOD: dict[str, dict[str, Any]] = {
    "read": {"device": "psu1", "name": "voltage"},
    "set": {"device": "psu1", "name": "voltage", "value": 5},
    "do": {"device": "psu1", "name": "ramp", "arguments": {"to": 5}},
    "stop": {"device": "psu1"},
}
ENVELOPE = {"id": "1-a", "not_after": "2026-11-23T09:30:00Z"}


def body(verb: str, **changes: Any) -> bytes:
    merged = ENVELOPE | GOOD[verb] | changes
    return json.dumps({k: v for k, v in merged.items() if v is not ...}).encode()


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


@pytest.mark.parametrize("verb", GOOD)
def test_a_good_request_is_understood(verb: str) -> None:
    request = parse(verb, body(verb, by="kim", schema="labkeeper/request/1"))
    assert (request.verb, request.id, request.device, request.by) == (verb, "1-a", "psu1", "kim")
    assert request.not_after == 1795426200.0


def test_a_stop_needs_no_time() -> None:
    assert parse("stop", body("stop", not_after=...)).not_after is None


@pytest.mark.parametrize(
    ("verb", "payload", "words"),
    [
        ("set", b"", "no JSON object"),
        ("set", b"\xff", "no JSON object in UTF-8"),
        ("set", b"[]", "no JSON object"),
        ("set", b"[" * 60_000, "nested too deeply"),
        ("set", b'{"id":NaN}', "NaN is no number"),
        ("set", b'{"id":1e999}', "not JSON compliant"),
        ("set", b'{"id":"a","id":"b"}', "given twice"),
        ("set", b'{"id":"\\ud800"}', "surrogates not allowed"),
        ("set", b" " * 65_537, "65537 bytes are too many; allowed: 65536"),
        ("fly", body("set"), "fly is no request; requests: read, set, do, stop"),
        ("set", body("set", id=...), "id is missing: set needs id, not_after, device, name, value"),
        ("set", body("set", id=7), "id is not 1 to 64"),
        ("set", body("set", id="a/b"), "id is not 1 to 64"),
        ("set", body("set", id="x" * 65), "id is not 1 to 64"),
        ("set", body("set", not_after=...), "not_after is missing"),
        ("set", body("set", not_after=1795426200), "not_after is no time in UTC"),
        ("set", body("set", not_after="2026-11-23T09:30:00"), "not_after is no time in UTC"),
        ("set", body("set", not_after="2026-11-23T09:30:00+09:00"), "not_after is no time in UTC"),
        ("set", body("set", not_after="2026-13-23T09:30:00Z"), "not_after is no time in UTC"),
        ("set", body("set", value=...), "value is missing"),
        ("set", body("set", device=""), "device is not a text of 1 to 80 characters"),
        ("set", body("set", device="a\nb"), "device is not a text"),
        ("set", body("set", by=["kim"]), "by is not a text"),
        ("set", body("set", volume=11), "'volume' is no key of set; keys: by, device, id"),
        ("set", body("set", schema="labkeeper/request/2"), "schema is not labkeeper/request/1"),
        ("do", body("do", arguments=[5]), "arguments is not an object"),
        ("stop", body("stop", name="x"), "'name' is no key of stop"),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence(verb: str, payload: bytes, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(verb, payload)
    assert words in str(refused.value)


def test_a_bad_request_still_tells_whom_to_answer() -> None:
    with pytest.raises(BadRequest) as refused:
        parse("set", body("set", value=..., by="kim"))
    assert refused.value.told == {"id": "1-a", "device": "psu1", "by": "kim"}


@given(st.binary(max_size=200), st.sampled_from([*GOOD, "fly"]))
def test_no_bytes_whatever_break_the_parser(payload: bytes, verb: str) -> None:
    with pytest.raises(BadRequest):
        parse(verb, payload)


@given(
    st.dictionaries(
        st.sampled_from(["id", "not_after", "device", "name", "value", "arguments", "by", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.text(max_size=3), inner, max_size=2)
            ),
            max_leaves=4,
        ),
    ),
    st.sampled_from([*GOOD]),
)
def test_no_json_whatever_breaks_the_parser(changes: dict[str, Any], verb: str) -> None:
    with suppress(BadRequest):  # and nothing else
        request = parse(verb, json.dumps(ENVELOPE | GOOD[verb] | changes).encode())
        assert isinstance(request.device, str)


def test_when_it_expires_and_in_what_order_it_is_written_do_not_make_another_request() -> None:
    first = parse("set", body("set"))
    later = parse("set", body("set", not_after="2026-11-23T09:31:00Z"))
    turned = parse("set", json.dumps(dict(reversed(json.loads(body("set")).items()))).encode())
    assert first.fingerprint == later.fingerprint == turned.fingerprint
    assert first.fingerprint != parse("set", body("set", value=6)).fingerprint
    assert first.fingerprint != parse("read", body("read")).fingerprint


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
    answers = Answers(clock)
    answers.begin("a", "print")
    clock.now = 10 * KEPT_S  # as long as it takes, it is under way
    assert answers.find("a") is not None
    answers.end("a", b"done")
    clock.now += KEPT_S
    known = answers.find("a")
    assert known is not None
    assert known.answer.result() == b"done"
    clock.now += 1
    assert answers.find("a") is None


async def test_no_more_than_a_thousand_answers_are_kept() -> None:
    answers = Answers(Hand())
    answers.begin("long", "print")
    for number in range(KEPT + 1):
        answers.begin(str(number), "")
        answers.end(str(number), b"")
    assert answers.find("0") is None
    assert answers.find("1") is not None
    assert answers.find("long") is not None


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
