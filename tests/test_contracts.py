"""docs/contracts.md names what the code offers: nothing less, and nothing that does not exist."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from itertools import product
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agent import errors
from agent.clock_watch import KINDS as CLOCK_EVENTS
from agent.fleet.samples import Status
from agent.fleet.states import DeviceState
from agent.jobs.schedules.firing import SEVERITY
from agent.jobs.states import JobState
from agent.mqtt.topics import Topics
from agent.mqtt.verbs import KEYS, NEEDED
from agent.safety.alarms import EVENTS as ALARM_EVENTS
from agent.web.problems import KINDS
from tests.pages import DOCS, ROOT, named, page, snippets, table, words

PAGE = "contracts.md"
EXAMPLES = [it for it in snippets(PAGE) if it.title.startswith("lab/v1/")]
SUFFIX = {"counter": "_total", "info": "_info"}
ADDS = {"add", "_say", "_announce", "_warn"}
REQUESTS = ("set", "do", "stop", "settle")


def test_every_topic_is_named() -> None:
    topics = Topics("<station>")
    assert set(named(PAGE, "topic", "retained", "payload", "when")) == {
        topics.status,
        topics.description("<device>"),
        topics.state("<device>"),
        topics.job("<job>"),
        topics.ledger,
        topics.alarm("<alarm>"),
        topics.event,
        topics.commands.replace("+", "<verb>"),
        topics.reply("<id>"),
    }


def test_every_payload_has_a_schema_and_every_schema_is_named() -> None:
    rows = table(PAGE, "topic", "retained", "payload", "when")
    assert sorted(word for row in rows for word in words(row[2])) == sorted(
        json.loads(path.read_text("utf-8"))["$id"] for path in (DOCS / "schemas").glob("*.json")
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_every_example_keeps_to_its_schema(example: Any) -> None:
    body = json.loads(example.text)
    kind = body.get("schema", "labkeeper/request/1").split("/")[1]
    schema = json.loads((DOCS / "schemas" / f"{kind}.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(body)
    assert f"/{body['station']}/" in example.title if "station" in body else "/command/"


def test_there_is_an_example_of_every_payload() -> None:
    shown = {json.loads(it.text).get("schema", "labkeeper/request/1") for it in EXAMPLES}
    assert shown == {f"labkeeper/{path.stem}/1" for path in (DOCS / "schemas").glob("*.json")}


def test_every_request_is_named_with_its_keys() -> None:
    rows = table(PAGE, "verb", "needed", "may have", "what it does")
    shown = {words(verb)[0]: (words(needed), set(words(may))) for verb, needed, may, _ in rows}
    assert shown == {verb: (list(NEEDED[verb]), set(KEYS[verb] - {*NEEDED[verb]})) for verb in KEYS}


def test_every_kind_of_event_is_named() -> None:
    requests = {f"{verb}.{status}" for verb, status in product(REQUESTS, Status)}
    lost = {*DeviceState} - {DeviceState.CONNECTING, DeviceState.READY, DeviceState.BUSY}
    jobs = {f"job.{state}" for state in JobState}
    fired = {f"schedule.{it}" for it in (*SEVERITY, "enabled", "disabled")}
    said = {
        *requests,
        *jobs,
        *fired,
        *(f"alarm.{word}" for word in ALARM_EVENTS),
        *CLOCK_EVENTS,
        *(f"device.{state}" for state in lost),
        *literal_kinds(),
    }
    assert set(named(PAGE, "kind", "what happened")) == said


def literal_kinds() -> set[str]:
    """Kinds that the agent's code spells out where it adds an event."""
    kinds = set()
    for path in (ROOT / "agent").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and node.func.attr in ADDS:
                    kinds |= {str(first.value)} if "." in str(first.value) else set()
    return kinds


def test_every_route_is_named() -> None:
    rows = table(PAGE, "method", "path", "what it does")
    document = json.loads((ROOT / "tests" / "golden" / "openapi.json").read_text("utf-8"))
    offered = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert {(row[0], words(row[1])[0]) for row in rows} == offered


def test_every_problem_is_named_with_status_and_outcome() -> None:
    rows = table(PAGE, "problem", "status", "outcome")
    shown = {words(row[0])[0]: (int(row[1]), row[2]) for row in rows}
    assert shown == {name: (kind.status, str(kind.outcome)) for name, kind in KINDS.items()}


def test_the_example_of_a_problem_is_one() -> None:
    [example] = [json.loads(it.text) for it in snippets(PAGE) if it.title == "problem"]
    kind = KINDS[example["type"].rpartition(":")[2]]
    assert (example["title"], example["status"]) == (kind.title, kind.status)
    assert example["outcome"] == kind.outcome


def test_every_exit_code_is_named() -> None:
    shown = {int(row[0]) for row in table(PAGE, "exit code", "meaning")}
    classes = [it for it in vars(errors).values() if isinstance(it, type)]
    codes = {it.exit_code for it in classes if issubclass(it, errors.AgentError)}
    assert shown == codes | {0, 1, 130}


def test_every_command_is_named() -> None:
    line = [sys.executable, "-m", "agent.cli", "--help"]
    told = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    offered = re.findall(r"^ {4}([a-z-]+) ", told.stdout, re.MULTILINE)
    [shown] = re.findall(r"^`labkeeper run`.*$", page(PAGE), re.MULTILINE)
    assert [word.split()[-1] for word in words(shown) if word != "--help"] == offered
