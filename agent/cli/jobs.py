"""Jobs on the command line: start, list, show, pause, resume, hold, release, answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agent.cli import NEVER_MIND, output
from agent.cli.client import AgentClient, socket_path
from agent.cli.failures import say
from agent.cli.job_answers import meant
from agent.cli.names import unknown
from agent.cli.words import language, said
from agent.errors import DeviceTrouble, Refused
from agent.languages.message import Message


def start(
    recipe: str,
    arguments: Sequence[str],
    devices: Sequence[str],
    socket: Path | None,
    *,
    dry_run: bool,
    config: Path | None,
    speed: float,
    as_json: bool,
    **how: Any,
) -> int:
    """Start a job; with `wait` follow it to its end, and return 3 unless it ends well.

    `how` says when it begins and whether to wait. With `dry_run` it is rehearsed on simulators, and
    no agent is asked.
    """
    if dry_run:
        return _rehearsed(recipe, arguments, devices, config, speed, as_json=as_json)
    if config is not None:
        raise Refused(
            Message("--config is for --dry-run: a job is started by the agent, with its own config")
        )
    return _submitted(recipe, arguments, devices, socket, as_json=as_json, **how)


def _submitted(
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
    """`turn` has its priority, its copies and when it may begin, as the API takes them."""
    with AgentClient(socket_path(socket)) as client:
        known = {it["recipe"]: it for it in client.get("recipes")["recipes"]}
        taken = known[recipe]["parameters"] if recipe in known else {}
        body = {
            "recipe": recipe,
            "arguments": typed(recipe, taken, arguments),
            "devices": dict(pairs(devices, "role=device")),
            "held": held,
            **turn,
        }
        job = client.post("jobs", body=body, key=key)
        copies = _copies(client, job) if wait else []
    if not wait:
        _told(job, as_json=as_json)
        return 0
    return _watched(copies, socket, as_json=as_json)


def _copies(client: AgentClient, job: dict[str, Any]) -> list[str]:
    """The job and its other copies, in the order in which they begin."""
    if not job["batch"]:
        return [str(job["job"])]
    found = [it for it in client.get("jobs")["jobs"] if it["batch"] == job["batch"]]
    return [str(it["job"]) for it in sorted(found, key=lambda it: int(it["number"]))]


def _watched(jobs: Iterable[str], socket: Path | None, *, as_json: bool) -> int:
    """Follow jobs to their ends, one after the other; the worst says how that ended."""
    worst = 0
    for job in jobs:
        code = watch(job, socket, as_json=as_json)
        if code == NEVER_MIND:
            return code
        worst = max(worst, code)
    return worst


def _rehearsed(
    recipe: str,
    arguments: Sequence[str],
    devices: Sequence[str],
    config: Path | None,
    speed: float,
    *,
    as_json: bool,
) -> int:
    from agent.cli.dry.run import dry_run

    if config is None:
        raise Refused(
            Message("--dry-run needs --config: the file of the station whose recipe it is")
        )
    return dry_run(recipe, arguments, devices, config, speed, fill=False, as_json=as_json)


def watch(job: str, socket: Path | None, *, as_json: bool) -> int:
    """Follow a job to its end: 0 when it is done and nothing measured has failed, 3 else.

    Ctrl-C ends the watching alone, with 130.
    """
    from agent.cli.job_follow import Follower, detached
    from agent.cli.job_view import ending, is_good
    from agent.cli.job_wait import Stopwatch, quietly

    with AgentClient(socket_path(socket)) as client:
        try:
            if as_json:
                ended = quietly(client, job)
            else:
                if sys.stderr.isatty():
                    say(
                        said(
                            Message(
                                "job {job}: Ctrl-C ends the watching, `labkeeper job stop {job}` the job",
                                job=job,
                            )
                        )
                    )
                spoken = language(os.environ)
                ended = Follower(client, job, spoken, Stopwatch().elapsed).to_its_end()
        except KeyboardInterrupt:
            detached(job)
            return NEVER_MIND
    if as_json:
        output.document(ended)
    else:
        for line in ending(ended):
            output.line(line)
    return 0 if is_good(ended) else DeviceTrouble.exit_code


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
        output.line(said(Message("no jobs")))


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
            raise Refused(Message("an answer is missing: yes or no, or a value"))
        body = {"value": meant(waiting[question], value)}
        answered = client.post("questions", question, "answer", body=body)
    if as_json:
        output.document(answered)
    else:
        output.line(Message("{question}: answered", question=question))


def _ask(job: str, verb: str, socket: Path | None, *, as_json: bool) -> None:
    with AgentClient(socket_path(socket)) as client:
        _told(client.post("jobs", job, verb), as_json=as_json)


def _told(job: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(job)
        return
    from agent.cli.job_view import summary

    output.line(summary(job))


def typed(recipe: str, taken: dict[str, Any], given: Iterable[str]) -> dict[str, Any]:
    """The parameters as the recipe takes them; what is missing or beyond a range the agent says."""
    from agent.cli.values import parse

    found: dict[str, Any] = {}
    for name, text in pairs(given, "name=value"):
        if taken and name not in taken:
            raise unknown("parameter", name, taken, recipe)
        found[name] = parse(name, taken[name], text) if taken else text
    return found


def pairs(given: Iterable[str], such: str) -> Iterable[tuple[str, str]]:
    """The two sides of each word that is `such`, as `name=value`. Raises Refused."""
    seen: set[str] = set()
    for word in given:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise Refused(Message("{word!r} is not {such}", word=word, such=such))
        if name in seen:
            raise Refused(Message("{name} is given twice", name=name))
        seen.add(name)
        yield name, text


def _list_questions(questions: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.document({"questions": questions})
        return
    for it in questions:
        output.line(f"{it['question']}: {it['texts'][language(os.environ)]}")
    if not questions:
        output.line(said(Message("no question waits for an answer")))
