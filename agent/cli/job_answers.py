"""Answers to the questions of jobs, as people type them, in Korean or in English."""

from __future__ import annotations

from typing import Any

from agent.cli.job_view import NO, YES
from agent.errors import Refused
from agent.languages.message import Message


def meant(question: dict[str, Any], text: str) -> Any:
    """What a typed text means as the answer. Raises Refused for what it can't be."""
    from agent.cli.values import parse

    if question["value"] is not None:
        return parse("the answer", question["value"], text)
    if text.lower() in YES:
        return True
    if text.lower() in NO:
        return False
    raise Refused(Message("the answer: {text!r} is neither yes nor no (예, 아니요)", text=text))
