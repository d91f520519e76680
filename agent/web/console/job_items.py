"""What of a job changes while it is looked at, the questions that wait, and what stands for each part."""

from collections.abc import Iterable
from typing import Final

from agent.jobs.job import Job
from agent.jobs.questions import Question
from agent.languages.catalogues import in_language
from agent.languages.message import Message
from agent.station import Station
from agent.web.console.items import Item
from agent.web.console.job_words import left_said
from agent.web.console.words import JOBS

WHOLE: Final = 100


def shown_job(job: Job, language: str) -> dict[str, Item]:
    """How a job stands: its state, what runs, how long it takes still, and how much of it is done."""
    why = in_language(job.why, language)
    said = in_language(left_said(job.left()), language)
    steps = Message("{n} steps done", n=job.progress.ended)
    part = part_done(job)
    return {
        f"state:{job.id}": Item(in_language(JOBS[job.state], language), job.state, None, why),
        f"now:{job.id}": Item(now_said(job, language), "now"),
        f"left:{job.id}": Item(said, "left"),
        f"steps:{job.id}": Item(in_language(steps, language), "steps"),
        f"part:{job.id}": Item("" if part is None else str(part), "part"),
    }


def now_said(job: Job, language: str) -> str:
    """The steps that run, one inside the other; of a question its text stands on the page itself."""
    return " → ".join(it.titles.get(language) or it.place for it in job.progress.now)


def part_done(job: Job) -> int | None:
    """How much of a job is done, in percent of its time; None where nobody knows how long it takes."""
    left = job.left()
    if job.state.is_final:
        return WHOLE
    if left is None or left.kind != "about" or left.seconds is None or job.began is None:
        return None
    whole = job.elapsed() + left.seconds
    return round(WHOLE * job.elapsed() / whole) if whole > 0 else None


def open_questions(station: Station) -> tuple[Question, ...]:
    """The questions that wait for an answer, the oldest first."""
    return station.jobs.questions if station.jobs is not None else ()


def asked_now(station: Station) -> tuple[str, ...]:
    """Which questions wait, so that a change of them is seen."""
    return tuple(it.id for it in open_questions(station))


def words_of(question: Question, language: str) -> str:
    """A question in a language, or else in another."""
    return {"ko": question.ko, "en": question.en}[language] or question.en or question.ko


def marks_of(jobs: Iterable[Job]) -> tuple[tuple[object, ...], ...]:
    """What a list of jobs shows of each, so that a change of it is seen."""
    return tuple((it.id, it.state, it.why, it.priority, it.rank, it.not_before) for it in jobs)
