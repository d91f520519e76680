"""Values as people type them, taken by what the device's description says. Nothing is guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.cli.words import symbol
from agent.errors import Refused

SWITCH: Final = {"true": True, "on": True, "false": False, "off": False}
NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)")


def parse(name: str, form: Mapping[str, Any], text: str) -> float | int | bool | str:
    """Return the value that a text means for a `value` of a description.

    Raises:
        Refused: It means none; the sentence says what belongs here, and in which unit.
    """
    match form["type"]:
        case "number" | "integer":
            return _number(name, form, text.strip())
        case "boolean":
            if text.lower() not in SWITCH:
                raise Refused(f"{name}: {text!r} is neither on nor off (nor true or false)")
            return SWITCH[text.lower()]
        case "choice" if text not in form["choices"]:
            raise Refused(f"{name}: {text!r} is not one of {', '.join(form['choices'])}")
    return text


def parse_arguments(
    command: str, parameters: Iterable[Mapping[str, Any]], given: Iterable[str]
) -> dict[str, float | int | bool | str]:
    """Return a command's arguments from words such as `to=5`.

    Raises:
        Refused: A word has no `=`, a name is unknown, given twice or missing, or a value is wrong.
    """
    from agent.cli.names import unknown

    known = {str(parameter["name"]): parameter for parameter in parameters}
    found: dict[str, float | int | bool | str] = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not equals:
            raise Refused(f"{word!r} is not name=value; {usage(command, known.values())}")
        if name not in known:
            raise unknown("argument", name, known, command)
        if name in found:
            raise Refused(f"{command}: {name} is given twice")
        found[name] = parse(f"{command} {name}", known[name]["value"], text)
    missing = [name for name, it in known.items() if it["required"] and name not in found]
    if missing:
        raise Refused(f"{command} needs {', '.join(missing)}; {usage(command, known.values())}")
    return found


def usage(command: str, parameters: Iterable[Mapping[str, Any]]) -> str:
    """How a command is written: "write: labkeeper do psu1.ramp to=… rate=…"."""
    words = [f"{it['name']}=…" if it["required"] else f"[{it['name']}=…]" for it in parameters]
    return " ".join(["write: labkeeper do", command, *words])


def _number(name: str, form: Mapping[str, Any], text: str) -> float | int:
    unit, noun = form["unit"], "whole number" if form["type"] == "integer" else "number"
    shown = symbol(unit)
    belongs = f"a {noun} in {shown}" if shown else f"a {noun}"
    found = NUMBER.fullmatch(text)
    if re.search(r"\d,\d", text):
        raise Refused(f"{name}: {text!r} is not {belongs}; write a decimal point, not a comma")
    if found is None:
        raise Refused(f"{name}: {text!r} is not {belongs}")
    digits, suffix = found.groups()
    if suffix and suffix not in {unit, shown}:
        raise Refused(f"{name}: {text!r} is not {belongs}; write the number alone{_in(shown)}")
    value = float(digits)
    if not math.isfinite(value):
        raise Refused(f"{name}: {text!r} is too large for {belongs}")
    if form["type"] == "integer":
        if not re.fullmatch(r"[+-]?\d+", digits):
            raise Refused(f"{name}: {text!r} is not {belongs}")
        return int(digits)
    return value


def _in(shown: str) -> str:
    return f", in {shown}" if shown else ""
