"""A job as whoever follows it sees it: one line for now, and a line for each thing that came out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agent.cli import words
from agent.cli.words import said
from agent.languages.message import Message

Form = Mapping[str, Any]

WITHOUT_STEPS: Final = frozenset({"queued", "held"})
YES: Final = frozenset({"yes", "y", "예", "네"})
NO: Final = frozenset({"no", "n", "아니요", "아니오"})
CHOICES: Final = {"ko": "예/아니요", "en": "yes/no"}


def with_why(job: Form) -> str:
    """The state of a job or a run, and why it is so: "failed: the device does not answer"."""
    state = words.told(str(job["state"] or ""))
    return f"{state}: {said(str(job['why']))}" if job["why"] else state


def standing(job: Form, language: str, elapsed: float | None) -> str:
    """What a job does now: its state, loops and step, how long it has run, what is left of the step."""
    if job["state"] in WITHOUT_STEPS:
        return with_why({**job, "why": job["why"] or Message("waits for its devices")})
    parts = [words.told(str(job["state"])), *_steps(job["now"], language)]
    if elapsed is not None:
        parts.append(said(Message("{duration} so far", duration=words.duration(elapsed))))
    if job["now"]:
        parts.append(_left(job["now"][-1]))
    if told := whole_left(job):
        parts.append(said(Message("the job: {told}", told=told)))
    return " · ".join(part for part in parts if part)


def _steps(now: Sequence[Form], language: str) -> Iterator[str]:
    """The loops that run, each with its turn, and the innermost step."""
    for step in now:
        if step["turn"]:
            of = (
                said(Message(" of {turns}", turns=step["turns"]))
                if step["turns"] is not None
                else ""
            )
            yield f"{words.title_of(step['titles'], language)} {step['turn']}{of}"
    if now and not now[-1]["turn"]:
        yield words.title_of(now[-1]["titles"], language)


def _left(step: Form) -> str:
    """What is left of a step; of what nobody can know it is said that it is unknown."""
    if step["left"] is not None:
        return said(Message("{duration} left", duration=words.duration(step["left"])))
    if step["limit"] is not None:
        return said(
            Message("time left unknown, {duration} at most", duration=words.duration(step["limit"]))
        )
    return said(Message("time left unknown"))


def whole_left(job: Form) -> str:
    """What is left of the whole job, and how that is known; "" where nobody knows, or it does not run."""
    left = job.get("left")
    if left is None or left["seconds"] is None:
        return ""
    if left["kind"] == "at_least":
        return said(Message("at least {duration} left", duration=words.duration(left["seconds"])))
    runs = (
        said(Message("the last {runs} runs", runs=left["runs"]))
        if left["runs"] > 1
        else said(Message("the last run"))
    )
    return said(
        Message(
            "about {duration} left, after {runs}",
            duration=words.duration(left["seconds"]),
            runs=runs,
        )
    )


def measured(measure: Form) -> str:
    """One measured value with its verdict, and why it fails."""
    value = words.shown(measure["value"], measure["unit"])
    verdict = "" if measure["verdict"] == "none" else f", {words.told(measure['verdict'])}"
    reason = f": {said(measure['reason'])}" if measure["reason"] else ""
    return f"{measure['name']}: {value}{verdict}{reason}"


def logged(line: Form, language: str) -> str:
    """One line of the job's log."""
    text = line["texts"][language]
    return said(Message("warning: {warning}", warning=text)) if line["level"] == "warning" else text


def asked(question: Form, language: str) -> str:
    """A question, with what may be answered."""
    value = question["value"]
    if value is None:
        allowed = CHOICES[language]
    elif value["choices"]:
        allowed = "/".join(value["choices"])
    else:
        kind = words.told(value["type"].replace("_", " "))
        allowed = f"{kind} {words.symbol(value['unit'])}".strip()
    return f"{question['texts'][language]} [{allowed}]"


def answered(answer: Form, language: str) -> str:
    """A question of before, with its answer and whose that is."""
    return f"{answer['texts'][language]} {given(answer['value'])} ({answer['by']})"


def given(value: Any) -> str:
    """What was answered: yes or no, or a value."""
    return words.told("yes" if value else "no") if isinstance(value, bool) else words.shown(value)


def ending(job: Form) -> Iterator[str]:
    """What became of a job, and of each device that was to be made safe."""
    for device, outcome in job["safe"].items():
        safe = outcome["status"] == "done"
        text = Message("safe") if safe else Message("NOT CONFIRMED SAFE, go and look")
        more = f": {said(outcome['message'])}" if outcome["message"] and not safe else ""
        yield f"{device}: {said(text)}{more}"
    yield summary(job)


def summary(job: Form) -> str:
    """A job in a sentence."""
    why = f": {said(job['why'])}" if job["why"] else ""
    verdict = (
        said(Message("; verdict: {verdict}", verdict=Message(job["verdict"])))
        if job["verdict"] != "none"
        else ""
    )
    copies = (
        said(Message(", the first of {copies} copies,", copies=job["copies"]))
        if job["copies"] > 1 == job["number"]
        else ""
    )
    return said(
        Message(
            "job {job} ({recipe}){copies} is {state}{why}{verdict}",
            job=job["job"],
            recipe=job["recipe"],
            copies=copies,
            state=Message(job["state"]),
            why=why,
            verdict=verdict,
        )
    )


def is_good(job: Form) -> bool:
    """Whether a job that is over was done, and nothing that it measured has failed."""
    return bool(job["state"] == "done" and job["verdict"] != "fail")
