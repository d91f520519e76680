"""Follows one job to its end: lives on a terminal, where questions are answered; else line by line."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import Any, Final

from agent.cli import job_view, output
from agent.cli.client import AgentClient
from agent.cli.failures import say
from agent.cli.job_answers import meant
from agent.cli.job_news import News
from agent.cli.words import said
from agent.errors import Refused
from agent.languages.message import Message

LOOK_EVERY_S: Final = 0.25
"""How often the agent is asked how far the job is."""
ERASE: Final = "\r\x1b[K"


class Follower:
    """Of one job. `elapsed` says how long a job has run, in s; None while it has not begun."""

    def __init__(
        self,
        client: AgentClient,
        job: str,
        language: str,
        elapsed: Callable[[dict[str, Any]], float | None],
    ) -> None:
        self._client, self._job, self._language = client, job, language
        self._elapsed = elapsed
        self._live = sys.stdin.isatty() and sys.stdout.isatty()
        self._news = News(language)
        self._asked: dict[str, Any] | None = None
        """The question whose answer is being typed."""
        self._told: set[str] = set()
        self._hears = self._live
        """Whether somebody may still type something."""

    def to_its_end(self) -> dict[str, Any]:
        """Show the job until it is over, and return it. Ctrl-C raises KeyboardInterrupt."""
        try:
            while True:
                job: dict[str, Any] = self._client.get("jobs", self._job)
                for line in self._news.of(job):
                    self._say(line)
                if job["ended"]:
                    return job
                self._ask()
                self._show(job)
                self._wait()
        finally:
            self._write(ERASE if self._asked is None else "\n")

    def _ask(self) -> None:
        """Put the oldest question of the job, and notice that somebody else has answered it."""
        waiting = [
            it for it in self._client.get("questions")["questions"] if it["job"] == self._job
        ]
        if not self._hears:
            for question in waiting:
                self._tell_how_to_answer(question)
            return
        first = waiting[0] if waiting else None
        if self._asked is not None and (
            first is None or first["question"] != self._asked["question"]
        ):
            self._asked = None
            self._write("\n")
        if self._asked is None and first is not None:
            self._asked = first
            self._prompt()

    def _tell_how_to_answer(self, question: dict[str, Any]) -> None:
        if question["question"] not in self._told:
            self._told.add(question["question"])
            text = job_view.asked(question, self._language)
            self._say(
                said(
                    Message(
                        "{text}: `labkeeper job answer {question} …` answers",
                        text=text,
                        question=question["question"],
                    )
                )
            )

    def _wait(self) -> None:
        """Let a moment pass, or less when somebody has typed a line."""
        waits_for = [sys.stdin] if self._hears else []
        typed, _, _ = select.select(waits_for, [], [], LOOK_EVERY_S)
        if not typed:
            return
        line = os.read(sys.stdin.fileno(), 4096).decode("utf-8", "replace")
        if not line:  # Ctrl-D: nobody answers here any more
            self._hears, self._asked = False, None
            self._write("\n")
        elif self._asked is not None:
            self._answer(self._asked, line.strip())

    def _answer(self, question: dict[str, Any], text: str) -> None:
        self._asked = None
        if not text:
            return  # the question is put again
        try:
            value = meant(question, text)
            self._client.post("questions", question["question"], "answer", body={"value": value})
            self._news.given_here(question["texts"]["en"])
        except Refused as refused:
            self._say(str(refused))

    def _show(self, job: dict[str, Any]) -> None:
        """Write the line for now over the one before; a question has its place."""
        if not self._live or self._asked is not None:
            return
        # Imported where there is a terminal to paint on.
        from rich.cells import cell_len, set_cell_size

        text = job_view.standing(job, self._language, self._elapsed(job))
        width = os.get_terminal_size(sys.stdout.fileno()).columns - 1
        if width > 0 and cell_len(text) > width:
            text = set_cell_size(text, width - 1) + "…"
        self._write(f"{ERASE}{text}")

    def _say(self, line: str) -> None:
        """Tell a line that stays."""
        self._write(ERASE)
        output.line(line)
        if self._asked is not None:
            self._prompt()

    def _prompt(self) -> None:
        if self._asked is not None:
            self._write(f"{ERASE}{job_view.asked(self._asked, self._language)} ")

    def _write(self, text: str) -> None:
        if not self._live:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:  # the terminal was closed
            raise output.OutputLost(error) from error


def detached(job: str) -> None:
    """Say what goes on now that nobody watches, and how to see it, and how to end it."""
    say(
        said(
            Message(
                "the watching has ended, job {job} goes on: `labkeeper job watch {job}` shows "
                "it again, `labkeeper job stop {job}` stops it",
                job=job,
            )
        )
    )
