"""Every payload as it was agreed (golden files), and as its JSON Schema says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from agent.fleet.events import Event, Severity
from agent.fleet.plan import Plan
from agent.fleet.samples import Outcome, Quality, Sample, Snapshot, Status
from agent.fleet.states import DeviceState
from agent.jobs.job import Job
from agent.jobs.progress import StepNow
from agent.jobs.questions import Question
from agent.jobs.states import JobState
from agent.jobs.time_left import UNKNOWN
from agent.mqtt import payloads
from agent.mqtt.request import BadRequest, parse
from agent.mqtt.status import Session
from agent.mqtt.topics import Topics
from agent.mqtt.verbs import NEEDED
from agent.roles import Actor
from drivers import Address, Driver, Limits, Reading, Role, Setting, Span, command
from drivers.driver import Identity
from tests.agent.bench import named
from tests.agent.mqtt.test_mqtt_request import GOOD, body
from tests.agent.toy import Mode, ToyRef, ToyWire
from tests.golden import assert_golden

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
NOON = 1_795_435_200.25  # 2026-11-23T12:00:00.250Z
TOPICS = Topics("bench-1")
SESSION = Session(station="bench-1", version="0.1.0", number=1_795_435_200_250, begun=NOON)


class Heater(Driver[ToyWire]):
    """A heater of two rods."""

    temperature = Reading(
        ToyRef(float, str, "t"), float, unit="Cel", every=0.5, doc="Between the rods."
    )
    mode = Reading(ToyRef(Mode, str, "m"), Mode, doc="What it regulates.")
    target = Setting(
        ToyRef(float, str, "s"), float, unit="Cel", low=0, high=180, role=Role.ENGINEER, doc="Goal."
    )
    power = Setting(ToyRef(bool, str, "p"), bool, anytime=True, doc="Whether it heats.")

    @command(role=Role.ENGINEER, timeout=600)
    async def soak(
        self, at: Annotated[float, Span(0, 180, "Cel")], seconds: Annotated[int, Span(1)] = 60
    ) -> None:
        """Hold a temperature for some time."""


PLAN = Plan(
    name="oven1",
    driver_name="toy.heater",
    driver_class=Heater,
    address=Address.parse("tcp://127.0.0.1:1"),
    titles={"en": "Oven by the window", "ko": "창가 오븐"},
    limits=Limits({"target": Span(None, 120.0, "Cel", high_source="config/station.yaml:12")}),
    periods={"temperature": 0.5, "mode": 1.0, "target": 5.0, "power": 0.0},
    simulated=True,
)
SNAPSHOT = Snapshot(
    device="oven1",
    state=DeviceState.BUSY,
    since=NOON - 60,
    activity="soak",
    identity=Identity("Toy,H2,S7,1.0", "H2", "S7", "1.0"),
    samples={
        "temperature": Sample(value=37.5, quality=Quality.SIMULATED, time=NOON),
        "mode": Sample(value="cv", quality=Quality.STALE, time=NOON - 9, reason="overdue"),
        "target": Sample(value=None, quality=Quality.BAD, time=NOON, reason="s? -> 'x'"),
        "power": Sample(value=True, quality=Quality.GOOD, time=NOON),
    },
)
GONE = Snapshot(device="oven1", state=DeviceState.OFFLINE, since=NOON, reason="unplugged")
EVENT = Event(
    number=17,
    time=NOON,
    kind="set.refused",
    severity=Severity.WARNING,
    text="kim (mqtt) set oven1.target 200: refused: above 120 °C",
    device="oven1",
    data={"actor": "kim", "origin": "mqtt", "target": "oven1.target"},
)
REQUEST = {"id": "7f0c", "command": "set", "device": "oven1"}


def answer(status: Status, message: str = "", value: Any = None, **read: Sample) -> payloads.Form:
    outcome = Outcome(status=status, message=message, value=value)
    return payloads.reply("bench-1", REQUEST, outcome, payloads.values(PLAN, read), NOON)


def a_job(state: JobState, **changes: Any) -> Job:
    """The job of a person who is asked something."""
    job = Job(
        id="20261123-115900-1",
        recipe="thermal_cycle",
        version="2",
        sha256="0" * 64,
        arguments={"specimen": "S-17"},
        devices={"oven": "oven1"},
        claimed=frozenset({"oven1"}),
        by=Actor(name="line-3", origin="mqtt", role=Role.TECHNICIAN),
        submitted=NOON - 60,
        state=state,
        began=NOON - 59,
    )
    for name, value in changes.items():
        setattr(job, name, value)
    return job


def a_running_job() -> payloads.Form:
    """In the second turn of a loop, where it waits and asks."""
    job = a_job(JobState.RUNNING, left=lambda: UNKNOWN)
    loop = StepNow("steps.1", "thermal_cycle.yaml:9", {"ko": "3번 반복", "en": "3 times"}, turn=2)
    loop.turns = 3
    waits = StepNow("steps.1.repeat.0", "thermal_cycle.yaml:11", {"ko": "대기", "en": "wait"}, 12.5)
    progress: Any = SimpleNamespace(begun=4, ended=2, now=(loop, waits))
    job.progress = progress
    asked = Question(
        id=f"{job.id}.q1",
        job=job.id,
        kind="confirm",
        ko="문이 닫혔습니까?",
        en="Is the door shut?",
        asked=NOON - 5,
    )
    return payloads.job("bench-1", job, [asked], NOON)


def an_ended_job() -> payloads.Form:
    job = a_job(JobState.DONE, ended=NOON, verdict="fail")
    return payloads.job("bench-1", job, [], NOON)


# Golden file, topic, whether it is retained, schema, payload.
CASES: list[tuple[str, str, bool, str, Callable[[], payloads.Form | bytes]]] = [
    ("birth", TOPICS.status, True, "status", lambda: SESSION.birth),
    ("will", TOPICS.status, True, "status", lambda: SESSION.will),
    ("farewell", TOPICS.status, True, "status", lambda: SESSION.farewell(NOON + 60)),
    (
        "description",
        TOPICS.description("oven1"),
        True,
        "description",
        lambda: payloads.description("bench-1", PLAN),
    ),
    (
        "state",
        TOPICS.state("oven1"),
        True,
        "state",
        lambda: payloads.state("bench-1", PLAN, SNAPSHOT),
    ),
    (
        "state_offline",
        TOPICS.state("oven1"),
        True,
        "state",
        lambda: payloads.state("bench-1", PLAN, GONE),
    ),
    ("job", TOPICS.job("20261123-115900-1"), True, "job", a_running_job),
    ("job_ended", TOPICS.job("20261123-115900-1"), True, "job", an_ended_job),
    (
        "ledger",
        TOPICS.ledger,
        True,
        "ledger",
        lambda: payloads.ledger("bench-1", 812, "9f86d081" * 8, NOON),
    ),
    ("event", TOPICS.event, False, "event", lambda: payloads.event("bench-1", EVENT)),
    ("reply_set", TOPICS.reply("7f0c"), False, "reply", lambda: answer(Status.DONE, value=80.0)),
    (
        "reply_refused",
        TOPICS.reply("7f0c"),
        False,
        "reply",
        lambda: answer(Status.REFUSED, "oven1.target: 200 °C is above 120 °C"),
    ),
    (
        "reply_read",
        TOPICS.reply("7f0c"),
        False,
        "reply",
        lambda: answer(
            Status.DONE, temperature=Sample(value=37.5, quality=Quality.GOOD, time=NOON)
        ),
    ),
]


def validator(schema: str, part: str = "") -> Draft202012Validator:
    whole = json.loads((SCHEMAS / f"{schema}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(whole)
    if part:
        whole = {"$defs": whole["$defs"], "$ref": f"#/$defs/{part}"}
    return Draft202012Validator(whole)


def sent(payload: payloads.Form | bytes) -> Any:
    """What a consumer reads."""
    return json.loads(payload if isinstance(payload, bytes) else payloads.encode(payload))


@pytest.mark.parametrize(("name", "topic", "retained", "schema", "payload"), CASES)
def test_a_payload_is_what_was_agreed_and_what_its_schema_says(
    name: str, topic: str, retained: bool, schema: str, payload: Callable[[], Any]
) -> None:
    form = sent(payload())
    validator(schema).validate(form)
    shown = {"topic": topic, "retained": retained, "payload": form}
    assert_golden(f"mqtt/{name}.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize(("name", "topic", "retained", "schema", "payload"), CASES)
def test_a_schema_refuses_a_key_that_it_does_not_know_and_one_that_is_missing(
    name: str, topic: str, retained: bool, schema: str, payload: Callable[[], Any]
) -> None:
    form = sent(payload())
    with pytest.raises(ValidationError):
        validator(schema).validate(form | {"surprise": 1})
    del form["station"]
    with pytest.raises(ValidationError):
        validator(schema).validate(form)


@pytest.mark.parametrize("verb", GOOD)
def test_the_schema_of_a_request_agrees_with_the_parser(verb: str) -> None:
    schema = validator("request", verb)
    good = json.loads(body(verb, by="kim"))
    schema.validate(good)
    parse(verb, json.dumps(good).encode())
    wrong: list[dict[str, Any]] = [good | {"surprise": 1}, good | {"id": "a/b"}, good | {"by": ""}]
    wrong += [good | {"not_after": "tomorrow"}]
    wrong += [{k: v for k, v in good.items() if k != key} for key in NEEDED[verb]]
    for form in wrong:
        assert not schema.is_valid(form), form
        with pytest.raises(BadRequest):
            parse(verb, json.dumps(form).encode())


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_a_bad_value_and_never_in_the_json(number: float) -> None:
    samples = {"temperature": Sample(value=number, quality=Quality.GOOD, time=NOON)}
    snapshot = Snapshot(device="oven1", state=DeviceState.READY, since=NOON, samples=samples)
    form = sent(payloads.state("bench-1", PLAN, snapshot))
    validator("state").validate(form)
    assert form["values"]["temperature"]["value"] is None
    assert form["values"]["temperature"]["quality"] == "bad"
    assert sent(answer(Status.DONE, value=number))["value"] is None
    assert sent(answer(Status.DONE, value={"x": number, "y": 1.0}))["value"] == {"x": None, "y": 1}


def test_a_devices_garbled_text_does_not_break_the_encoding() -> None:
    garbled = Snapshot(
        device="oven1", state=DeviceState.OFFLINE, since=NOON, reason="got '\udcff' 온도"
    )
    assert sent(payloads.state("bench-1", PLAN, garbled))["reason"] == "got '\udcff' 온도"


def test_the_description_of_a_real_toy_is_what_its_schema_says() -> None:
    validator("description").validate(sent(payloads.description("bench-1", named("psu1"))))
