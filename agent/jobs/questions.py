"""Questions of jobs to people: listed until they are answered, or the job no longer wants to know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from agent.errors import NoSuchThing, Refused
from agent.jobs.job import Answer
from agent.languages.message import Message

if TYPE_CHECKING:
    from agent.jobs.language.expressions import Value
    from agent.jobs.recipes.parameters import Parameter

THE_ANSWER: Final = Message("the answer")


@dataclass(kw_only=True, slots=True)
class Question:
    """One question, in both languages. `asked` is in seconds UTC."""

    id: str
    job: str
    kind: Literal["confirm", "input"]
    ko: str
    en: str
    asked: float
    parameter: Parameter | None = None
    """What an input may be; None for a yes or no."""
    answer: Answer | None = None

    def accepted(self, value: object) -> Value:
        """The value as the recipe takes it. Raises Refused: the question stays."""
        if self.parameter is not None:
            return self.parameter.check(THE_ANSWER, value)
        if isinstance(value, bool):
            return value
        of = {"name": THE_ANSWER, "value": repr(value)}
        raise Refused(Message("{name}: {value} is neither true nor false", **of))


class Questions:
    """Every question that waits for an answer."""

    def __init__(self) -> None:
        self._open: dict[str, Question] = {}
        self._asked: dict[str, int] = {}

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions that nobody has answered, the oldest first."""
        return tuple(self._open.values())

    def next_id(self, job: str) -> str:
        """A name for the next question of a job, such as `20260102-030405-1.q1`."""
        self._asked[job] = self._asked.get(job, 0) + 1
        return f"{job}.q{self._asked[job]}"

    @contextmanager
    def asking(self, question: Question) -> Iterator[None]:
        """List a question as long as somebody waits for its answer."""
        self._open[question.id] = question
        try:
            yield
        finally:
            self._open.pop(question.id, None)

    def find(self, question: str) -> Question:
        """The open question of this name. Raises NoSuchThing."""
        if question in self._open:
            return self._open[question]
        known = ", ".join(self._open) or Message("none")
        raise NoSuchThing(
            Message(
                "no question {question} waits for an answer; questions: {known}",
                question=question,
                known=known,
            )
        )

    def close(self, question: Question, answer: Answer) -> None:
        """Take an answer; the question is listed no longer. Raises NoSuchThing where it is not now."""
        self.find(question.id).answer = answer
        del self._open[question.id]

    def forget(self, job: str) -> None:
        """Count no longer what a job has asked."""
        self._asked.pop(job, None)
