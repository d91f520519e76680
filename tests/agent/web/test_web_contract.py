"""The API as a contract: its document is held by a golden file, and a stranger's client keeps to it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from agent.clock import SystemClock
from agent.station import Station
from agent.store.ledger_pages import LedgerPages
from agent.store.run_shelf import RunShelf
from agent.web import (
    about_forms,
    file_forms,
    forms,
    job_forms,
    last_stops,
    ledger_forms,
    people_forms,
    queue_forms,
    reservation_forms,
    run_examples,
    run_forms,
    safety_forms,
    schedule_forms,
    unsettled,
)
from agent.web.problems import KINDS, problem_form
from tests.agent.bench import PLAN
from tests.agent.ledger_bench import opened
from tests.agent.people_bench import house, people_over
from tests.agent.runs_bench import closed_folder
from tests.agent.web_bench import TOKEN, served

pytestmark = pytest.mark.lab

GOLDEN = Path(__file__).resolve().parent.parent.parent / "golden" / "openapi.json"
MODELS = [
    model
    for module in (
        *(forms, file_forms, job_forms, people_forms, queue_forms),
        *(reservation_forms, safety_forms, schedule_forms, unsettled, last_stops),
        *(ledger_forms, run_forms, about_forms),
    )
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model is not BaseModel
]


BEGINNINGS = {"/api/v1/session", "/api/v1/first-administrator"}
"""Where somebody begins to be known."""


async def document(folder: Path) -> dict[str, Any]:
    async with served(folder=folder) as web:
        found: dict[str, Any] = (await web.tcp.get("/openapi.json")).json()
        return found


async def test_the_document_is_the_one_that_was_agreed_on(tmp_path: Path) -> None:
    """Run with GOLDEN=write after a change that is meant, and look at the difference."""
    text = json.dumps(await document(tmp_path), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text("utf-8")


async def test_every_operation_has_a_summary_an_example_and_problems(tmp_path: Path) -> None:
    found = await document(tmp_path)
    operations = [
        (f"{method} {path}", operation)
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) == 87
    for name, operation in operations:
        assert operation["summary"], name
        assert operation["description"], name
        (good,) = operation["responses"]["200"]["content"].values()
        assert "example" in good, name
        for status, answer in operation["responses"].items():
            if status != "200":
                assert list(answer["content"]) == ["application/problem+json"], (name, status)
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (name, parameter)
    assert "HTTPValidationError" not in found["components"]["schemas"]


async def test_changes_name_the_token_and_stop_does_not(tmp_path: Path) -> None:
    found = await document(tmp_path)
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            is_beginning = method == "post" and path in BEGINNINGS
            of_people = path.startswith(("/api/v1/users", "/api/v1/tokens"))
            needs = of_people or (method != "get" and not path.endswith("/stop"))
            needs = needs and not is_beginning
            assert bool(operation.get("security")) is needs, (method, path)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_examples_of_a_model_keep_to_its_schema(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    for example in schema["examples"]:
        Draft202012Validator(schema).validate(example)
        model.model_validate(example)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_problem_is_one_that_the_document_describes(kind: str) -> None:
    forms.ProblemForm.model_validate(problem_form(kind, "a sentence"))
    assert kind.replace("-", "").isalpha()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "phases", ["examples,fuzzing", pytest.param("coverage", marks=pytest.mark.long)]
)
async def test_a_strangers_client_finds_nothing_that_the_document_does_not_say(
    tmp_path: Path, phases: str
) -> None:
    state, shelf = tmp_path / "state", tmp_path / "runs"
    await asyncio.to_thread(state.mkdir)
    await asyncio.to_thread(closed_folder, shelf, run_examples.MANIFEST["job"])
    async with opened(state) as ledger:
        people = await people_over(ledger, SystemClock(), "kim")

        def with_a_past(station: Station) -> Station:
            pages = LedgerPages(state)
            past = replace(station, ledger=ledger, ledger_pages=pages, runs=RunShelf(shelf))
            return replace(past, people=people)

        async with served(PLAN, folder=tmp_path, change=with_a_past) as web:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            said = await fuzz(web.port, tmp_path, headers, "--phases", phases)
    assert said.returncode == 0, said.output


OF_PEOPLE = "/(session|users|tokens|first-administrator)"


@pytest.mark.timeout(300)
async def test_nor_does_an_administrator_who_has_signed_in(tmp_path: Path) -> None:
    async with house(tmp_path, "kim", "park") as lab:
        park = await lab.browser("park")
        cookie = "; ".join(f"{it.name}={it.value}" for it in park.cookies.jar)
        headers = {"Cookie": cookie, "X-CSRF-Token": park.headers["X-CSRF-Token"]}
        said = await fuzz(
            *(lab.port, tmp_path, headers),
            *("--phases", "examples,coverage,fuzzing"),
            *("--include-path-regex", OF_PEOPLE, "--exclude-operation-id", "sign_out"),
            # The document knows one way of saying who asks; this is the other one.
            *("--generation-with-security-parameters", "false"),
            checks="ignored_auth,missing_required_header,negative_data_rejection",
        )
        assert (await park.get("/session")).json()["signed_in"]
    assert said.returncode == 0, said.output


class Said:
    """How a program ended, and its last words."""

    def __init__(self, returncode: int, output: str) -> None:
        self.returncode, self.output = returncode, output[-6000:]


async def fuzz(
    port: int, folder: Path, headers: dict[str, str], *more: str, checks: str = ""
) -> Said:
    """Send what a generator makes of the document, good and bad, and check every answer."""
    base = f"http://127.0.0.1:{port}"
    given = {"Host": f"127.0.0.1:{port}", **headers}
    # What a device allows is in its description; what has no route asks for a token first.
    unchecked = ",".join(filter(None, ("positive_data_acceptance,unsupported_method", checks)))
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run"),
        *(f"{base}/api/v1/openapi.json", "--url", base),
        *(word for name, text in given.items() for word in ("-H", f"{name}: {text}")),
        *("--max-examples", "2", "--seed", "1"),
        *("--exclude-path-regex", "stream$", "--request-timeout", "5", "--workers", "1"),
        *("--generation-database", "none", "--no-color"),
        *("--exclude-checks", unchecked, *more),
    ]
    program = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await program.communicate()
    return Said(program.returncode or 0, output.decode(errors="replace"))
