"""Runs the steps that speak with people: confirm, input, log, fail."""

from __future__ import annotations

from agent.errors import DeviceTrouble
from agent.jobs.language.expressions import Value
from agent.jobs.language.quantities import Duration
from agent.jobs.progress import StepNow
from agent.jobs.questions import Question
from agent.jobs.recipes.person_steps import ConfirmStep, FailStep, InputStep, LogStep
from agent.jobs.recipes.step import Step
from agent.jobs.recipes.step_words import VERBS
from agent.jobs.running.frame import Frame
from agent.jobs.running.pace import TICK_S
from agent.languages.catalogues import in_language
from agent.languages.message import Message, Titled


class NobodyAnswered(DeviceTrouble):
    """A question was not answered in the time that the recipe gives."""


async def run_confirm(frame: Frame, step: ConfirmStep, now: StepNow) -> None:
    """Ask yes or no; a no ends the job unless the recipe wants to know it."""
    ko, en = (step.confirm.filled(it, frame.known) for it in ("ko", "en"))
    _call_it(now, step, ko, en)
    yes = await answered(frame, _question(frame, "confirm", ko, en), step.within, now)
    if step.as_:
        frame.values[step.as_] = yes
    elif yes is not True:
        raise DeviceTrouble(
            Message("the answer to “{question}” is no", question=Titled({"en": en, "ko": ko}))
        )


async def run_input(frame: Frame, step: InputStep, now: StepNow) -> None:
    """Ask for a value, until one fits."""
    ko, en = (step.input.filled(it, frame.known) for it in ("ko", "en"))
    _call_it(now, step, ko, en)
    question = _question(frame, "input", ko, en)
    question.parameter = step.value
    frame.values[step.as_] = await answered(frame, question, step.within, now)


async def run_log(frame: Frame, step: LogStep, _: StepNow) -> None:
    """Write the line with its blanks filled in."""
    ko, en = (step.log.filled(it, frame.known) for it in ("ko", "en"))
    await frame.means.notes.line(step.level, ko, en)


async def run_fail(frame: Frame, step: FailStep, _: StepNow) -> None:
    """End the job for the reason that the recipe gives."""
    raise DeviceTrouble(step.fail.filled("en", frame.known))


async def confirmed(frame: Frame, ko: str, en: str, now: StepNow) -> bool:
    """Ask yes or no for as long as it takes."""
    return await answered(frame, _question(frame, "confirm", ko, en), None, now) is True


async def answered(
    frame: Frame, question: Question, within: Duration | None, now: StepNow
) -> Value:
    """Put a question and wait for its answer, also while the job is paused."""
    means = frame.means
    left = within.seconds(frame.known) if within is not None else None
    with means.questions.asking(question):
        await means.notes.asked(question.id, question.ko, question.en)
        while question.answer is None:
            now.limit = left
            began = means.clock.monotonic()
            await means.clock.sleep(TICK_S)
            if left is not None:
                left -= means.clock.monotonic() - began
                if left <= 0 and question.answer is None:
                    raise NobodyAnswered(
                        Message(
                            "nobody answered “{question}” within {within}",
                            question=Titled({"en": question.en, "ko": question.ko}),
                            within=within,
                        )
                    )
            await means.pace.rest()
    return question.answer.value


def _call_it(now: StepNow, step: Step, ko: str, en: str) -> None:
    """Show the question as it is put, its blanks filled in, where the step has no title."""
    if not (step.title.ko or step.title.en):
        asked = f"“{ko}”"
        korean = in_language(Message(VERBS[step.verb], what=asked), "ko")
        now.titles = {"ko": korean, "en": f"{step.verb} “{en}”"}


def _question(frame: Frame, kind: str, ko: str, en: str) -> Question:
    means = frame.means
    return Question(
        id=means.questions.next_id(means.job.id),
        job=means.job.id,
        kind="input" if kind == "input" else "confirm",
        ko=ko,
        en=en,
        asked=means.clock.utc(),
    )
