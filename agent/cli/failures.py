"""How a command that failed is told: a sentence, an exit code, and with --json a document."""

from __future__ import annotations

import logging
import sys
import tempfile
from typing import Any, Final

from agent.cli import output
from agent.cli.words import said
from agent.errors import AgentError, ConfigError
from agent.languages.message import N_, Message

DEFECT: Final = 1
PIPE_CLOSED: Final = 141
"""What a shell shows of a program whose reader went away: 128 + SIGPIPE."""


def say(sentence: str) -> None:
    """Tell the person at the terminal something; standard output is for results."""
    _complain(f"labkeeper: {said(sentence)}")


def failed(error: Exception, *, as_json: bool) -> int:
    """Tell of an error and return the exit code."""
    cause = first_cause(error)
    if isinstance(cause, output.ReaderGone):
        output.mute()
        return PIPE_CLOSED
    if isinstance(cause, AgentError):
        sentence, code = str(cause), cause.exit_code
    else:
        sentence, code = _defect(error), DEFECT
    if isinstance(cause, ConfigError):
        _complain(said(sentence))  # each problem begins with its file, as editors like it
    else:
        say(sentence)
    if isinstance(cause, output.OutputLost):
        output.mute()
    elif as_json:
        _tell_programs(document(cause, sentence, code))
    return code


def _complain(text: str) -> None:
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:
        pass  # nobody can be told, and the exit code still tells


def _tell_programs(what: dict[str, Any]) -> None:
    try:
        output.document(what)
    except (output.ReaderGone, output.OutputLost):
        output.mute()  # the exit code still tells


def document(error: BaseException, sentence: str, code: int) -> dict[str, Any]:
    """The error as JSON: its kind, its sentence, the exit code, and every problem of a config."""
    told: dict[str, Any] = {"kind": type(error).__name__, "message": sentence, "exit_code": code}
    if isinstance(error, ConfigError):
        told["problems"] = [
            {name: getattr(problem, name) for name in problem.__slots__}
            for problem in error.problems
        ]
    return {"error": told}


def first_cause(error: BaseException) -> BaseException:
    """The first cause in a group of groups: a task group wraps what its tasks raise."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _defect(error: BaseException) -> str:
    """Keep the details of a defect where a person can find them, and say where."""
    told = " ".join(f"{type(first_cause(error)).__name__}: {first_cause(error)}".split())
    if logging.getLogger().handlers and not sys.stderr.isatty():  # the service's log keeps it
        logging.getLogger("labkeeper").critical("a defect of labkeeper", exc_info=error)
        text = N_("a defect of labkeeper, {told}; the details are in the line before this one")
        return Message(text, told=told)
    # A traceback is imported when there is one to write.
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="labkeeper-defect-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.writelines(traceback.format_exception(error))
    text = N_("a defect of labkeeper, {told}; please report it with the details in {file}")
    return Message(text, told=told, file=file.name)
