"""Jobs on the command line: start, list, show, stop, pause, resume, hold, release, answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.names import unknown
from agent.cli.words import language
from agent.errors import DeviceTrouble, Refused

FINAL: Final = frozenset({"job.done", "job.failed", "job.stopped", "job.interrupted"})
STOP_WITHIN_S: Final = 30.0
"""How long the devices of a job may take to be stopped; they are stopped all at once."""


def start(
    recipe: str,
    arguments: Sequence[str],
    devices: Sequence[str],
    socket: Path | None,
    *,
    held: bool,
    wait: bool,
    key: str,
    as_json: bool,
    **turn: Any,
) -> int:
    """Start a job; with `wait` follow it to its end, and return 3 unless it ends well.

    `turn` has its priority, its copies and when it may begin, as the API takes them.
    """
    with AgentClient(socket_path(socket)) as client:
        known = {it["recipe"]: it for it in client.get("recipes")["recipes"]}
        taken = known[recipe]["parameters"] if recipe in known else {}
        body = {
            "recipe": recipe,
            "arguments": _typed(recipe, taken, arguments),
            "devices": dict(_pairs(devices, "role=device")),
            "held": held,
            **turn,
        }
        job = client.post("jobs", body=body, key=key)
    if not wait:
        _told(job, as_json=as_json)
        return 0
    if not as_json:
        output.line(f"job {job['job']}: Ctrl-C ends the watching, `labkeeper job stop` the job")
    asyncio.run(_follow(socket_path(socket), job["job"], quiet=as_json))
    with AgentClient(socket_path(socket)) as client:
        ended = client.get("jobs", job["job"])
    _told(ended, as_json=as_json)
    good = ended["state"] == "done" and ended["verdict"] != "fail"
    return 0 if good else DeviceTrouble.exit_code


def list_jobs(socket: Path | None, *, as_json: bool) -> None:
    """List the jobs."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("jobs")
    if as_json:
        output.document(found)
        return
    from agent.cli.job_tables import jobs_table

    if found["jobs"]:
        output.show(jobs_table(found["jobs"], language(os.environ)))
    else:
        output.line("no jobs")


def show(job: str, socket: Path | None, *, as_json: bool) -> None:
    """Show a job: its state, parameters, values with verdicts, and what it said."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("jobs", job)
    if as_json:
        output.document(found)
        return
    from agent.cli.job_tables import job_page

    for part in job_page(found, language(os.environ)):
        output.show(part)


def stop(job: str, socket: Path | None, *, as_json: bool) -> None:
    """Stop a job and its devices."""
    _ask(job, "stop", socket, STOP_WITHIN_S, as_json=as_json)


def pause(job: str, socket: Path | None, *, as_json: bool) -> None:
    """Let a job rest."""
    _ask(job, "pause", socket, as_json=as_json)


def resume(job: str, socket: Path | None, *, as_json: bool) -> None:
    """Let a job go on."""
    _ask(job, "resume", socket, as_json=as_json)


def hold(job: str, socket: Path | None, *, as_json: bool) -> None:
    """Keep a job that waits from beginning."""
    _ask(job, "hold", socket, as_json=as_json)


def release(job: str, socket: Path | None, *, as_json: bool) -> None:
    """Let a held job begin."""
    _ask(job, "release", socket, as_json=as_json)


def answer(question: str | None, value: str | None, socket: Path | None, *, as_json: bool) -> None:
    """Answer a question of a job; without one, list those that wait."""
    with AgentClient(socket_path(socket)) as client:
        waiting = {it["question"]: it for it in client.get("questions")["questions"]}
        if question is None:
            _list_questions(list(waiting.values()), as_json=as_json)
            return
        if question not in waiting:
            raise unknown("question", question, waiting)
        if value is None:
            raise Refused("an answer is missing: yes or no, or a value")
        meant = _answer(waiting[question], value)
        answered = client.post("questions", question, "answer", body={"value": meant})
    if as_json:
        output.document(answered)
    else:
        output.line(f"{question}: answered")


def _ask(job: str, verb: str, socket: Path | None, within: float = 20.0, *, as_json: bool) -> None:
    with AgentClient(socket_path(socket)) as client:
        _told(client.post("jobs", job, verb, within=within), as_json=as_json)


def _told(job: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(job)
        return
    why = f": {job['why']}" if job["why"] else ""
    verdict = f"; verdict: {job['verdict']}" if job["verdict"] != "none" else ""
    copies = f", the first of {job['copies']} copies," if job["copies"] > 1 == job["number"] else ""
    output.line(f"job {job['job']} ({job['recipe']}){copies} is {job['state']}{why}{verdict}")


async def _follow(socket: Path, job: str, *, quiet: bool) -> None:
    """Show what the job tells until its end; what it told before is told as well."""
    from agent.cli.stream import follow

    async for told in follow(socket, "events", "stream", after="0"):
        if told.form["data"].get("job") != job or not told.form["kind"].startswith("job."):
            continue
        if told.form["kind"] in FINAL:
            return
        if not quiet:
            output.line(told.form["text"])


def _typed(recipe: str, taken: dict[str, Any], given: Iterable[str]) -> dict[str, Any]:
    """The parameters as the recipe takes them; what is missing or beyond a range the agent says."""
    from agent.cli.values import parse

    found: dict[str, Any] = {}
    for name, text in _pairs(given, "name=value"):
        if taken and name not in taken:
            raise unknown("parameter", name, taken, recipe)
        found[name] = parse(name, taken[name], text) if taken else text
    return found


def _pairs(given: Iterable[str], such: str) -> Iterable[tuple[str, str]]:
    seen: set[str] = set()
    for word in given:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise Refused(f"{word!r} is not {such}")
        if name in seen:
            raise Refused(f"{name} is given twice")
        seen.add(name)
        yield name, text


def _answer(question: dict[str, Any], text: str) -> Any:
    from agent.cli.values import parse

    if question["value"] is not None:
        return parse("the answer", question["value"], text)
    words = {"yes": True, "no": False, "예": True, "아니요": False}
    if text.lower() in words:
        return words[text.lower()]
    raise Refused(f"the answer: {text!r} is neither yes nor no")


def _list_questions(questions: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.document({"questions": questions})
        return
    for it in questions:
        output.line(f"{it['question']}: {it['texts'][language(os.environ)]}")
    if not questions:
        output.line("no question waits for an answer")
