"""The agent's problem details (RFC 9457) as the errors that decide the exit code."""

from __future__ import annotations

from typing import Any, Final

from agent.errors import AgentError, DeviceTrouble, OutcomeUnknown, Refused, UnknownDevice
from agent.languages.message import Message

BY_OUTCOME: Final[dict[str, type[AgentError]]] = {
    "refused": Refused,
    "failed": DeviceTrouble,
    "unknown": OutcomeUnknown,
}
NOT_FOUND: Final = 404
SERVER: Final = 500


def error_from(status: int, problem: Any) -> AgentError:
    """Turn an answer with an HTTP status from 400 up into an error; `outcome` tells how it ended."""
    said = problem if isinstance(problem, dict) else {}
    sentence = (
        said.get("detail")
        or said.get("title")
        or Message("the agent answered {status}", status=status)
    )
    kind = BY_OUTCOME.get(str(said.get("outcome", "")))
    if status == NOT_FOUND:
        kind = UnknownDevice
    return (kind or (DeviceTrouble if status >= SERVER else Refused))(sentence)
