"""What a rehearsal answers: yes, and of a value the default, or else the first that fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import Refused
from agent.languages.message import Message

Form = Mapping[str, Any]


def answer_to(question: Form) -> Any:
    """The answer to a question. Raises Refused where no value can be made up."""
    if question["value"] is None:
        return True
    return made_up(question["texts"]["en"], question["value"])


def made_up(name: str, form: Form) -> Any:
    """A value that a parameter takes. Raises Refused where that takes a person to know."""
    if form["default"] is not None:
        return form["default"]
    match form["type"]:
        case "number" | "integer":
            low, high = form["low"], form["high"]
            found = low if low is not None else min(0.0, high if high is not None else 0.0)
            return int(found) if form["type"] == "integer" else found
        case "choice":
            return form["choices"][0]
        case "boolean":
            return True
        case "text" | "lot" | "serial_number" if form["pattern"] is None:
            return "DRY-RUN"
    raise Refused(
        Message(
            "{name} is missing: a dry run makes up no {replace} here",
            name=name,
            replace=form["type"].replace("_", " "),
        )
    )
