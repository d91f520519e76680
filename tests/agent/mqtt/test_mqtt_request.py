"""Requests as they arrive: understood, or refused with a sentence, whatever the bytes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.mqtt.request import BadRequest, parse
from agent.mqtt.verbs import RULES

GOOD: dict[str, dict[str, Any]] = {
    "read": {"device": "psu1", "name": "voltage"},
    "set": {"device": "psu1", "name": "voltage", "value": 5},
    "do": {"device": "psu1", "name": "ramp", "arguments": {"to": 5}},
    "stop": {"device": "psu1"},
    "job.start": {"recipe": "live", "arguments": {"level": 3}, "devices": {"supply": "psu1"}},
    "job.stop": {"job": "20260102-030405-1"},
    "job.pause": {"job": "20260102-030405-1"},
    "job.resume": {"job": "20260102-030405-1"},
    "job.hold": {"job": "20260102-030405-1"},
    "job.release": {"job": "20260102-030405-1"},
    "job.answer": {"question": "20260102-030405-1.q1", "value": True},
}
ENVELOPE = {"id": "1-a", "not_after": "2026-11-23T09:30:00Z"}


def body(verb: str, **changes: Any) -> bytes:
    merged = ENVELOPE | GOOD[verb] | changes
    return json.dumps({k: v for k, v in merged.items() if v is not ...}).encode()


@pytest.mark.parametrize("verb", GOOD)
def test_a_good_request_is_understood(verb: str) -> None:
    request = parse(verb, body(verb, by="kim", schema="labkeeper/request/1"))
    assert (request.verb, request.id, request.by) == (verb, "1-a", "kim")
    assert {key: getattr(request, key) for key in GOOD[verb]} == GOOD[verb]
    assert request.not_after == 1795426200.0


@pytest.mark.parametrize("verb", ["stop", "job.stop"])
def test_a_stop_needs_no_time(verb: str) -> None:
    assert parse(verb, body(verb, not_after=...)).not_after is None


def test_a_stop_without_a_device_is_for_every_device() -> None:
    assert parse("stop", b'{"id": "1"}').device == ""


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
        ("fly", body("set"), "fly is no request; requests: read, set, do, stop, job.start, job."),
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
        ("stop", body("stop", device=None), "device is not a text"),
        ("job.stop", body("job.stop", device="psu1"), "'device' is no key of job.stop"),
        ("job.start", body("job.start", recipe=...), "recipe is missing"),
        ("job.start", body("job.start", devices={"supply": 1}), "devices is not an object of at"),
        ("job.start", body("job.start", held="yes"), "held is not true or false"),
        ("job.start", body("job.start", not_after=...), "not_after is missing"),
        ("job.answer", body("job.answer", value=...), "value is missing"),
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
        st.sampled_from([*RULES, "not_after", "value", "x"]),
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
