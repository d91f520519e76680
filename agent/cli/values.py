"""Values as people type them, taken by what the device's description says. Nothing is guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.cli.words import symbol
from agent.errors import Refused
from agent.languages.message import N_, Message

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
                raise Refused(
                    Message(
                        "{name}: {text!r} is neither on nor off (nor true or false)",
                        name=name,
                        text=text,
                    )
                )
            return SWITCH[text.lower()]
        case "choice" if text not in form["choices"]:
            raise Refused(
                Message(
                    "{name}: {text!r} is not one of {choices}",
                    name=name,
                    text=text,
                    choices=", ".join(form["choices"]),
                )
            )
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
            raise Refused(
                Message(
                    "{word!r} is not name=value; {usage}",
                    word=word,
                    usage=usage(command, known.values()),
                )
            )
        if name not in known:
            raise unknown("argument", name, known, command)
        if name in found:
            raise Refused(Message("{command}: {name} is given twice", command=command, name=name))
        found[name] = parse(f"{command} {name}", known[name]["value"], text)
    missing = [name for name, it in known.items() if it["required"] and name not in found]
    if missing:
        raise Refused(
            Message(
                "{command} needs {missing}; {usage}",
                command=command,
                missing=", ".join(missing),
                usage=usage(command, known.values()),
            )
        )
    return found


def usage(command: str, parameters: Iterable[Mapping[str, Any]]) -> str:
    """How a command is written: "write: labkeeper do psu1.ramp to=… rate=…"."""
    words = [f"{it['name']}=…" if it["required"] else f"[{it['name']}=…]" for it in parameters]
    typed = " ".join(["labkeeper do", command, *words])
    return Message("write: {typed}", typed=typed)


def _number(name: str, form: Mapping[str, Any], text: str) -> float | int:
    noun = Message("a whole number") if form["type"] == "integer" else Message("a number")
    shown = symbol(form["unit"])
    belongs = Message("{words} in {shown}", words=noun, shown=shown) if shown else noun
    given = {"name": name, "text": text, "belongs": belongs}
    found = NUMBER.fullmatch(text)
    if re.search(r"\d,\d", text):
        raise Refused(
            Message(
                N_("{name}: {text!r} is not {belongs}; write a decimal point, not a comma"), **given
            )
        )
    if found is None:
        raise Refused(Message("{name}: {text!r} is not {belongs}", **given))
    digits, suffix = found.groups()
    if suffix and suffix not in {form["unit"], shown}:
        raise Refused(
            Message(
                N_("{name}: {text!r} is not {belongs}; write the number alone{in_}"),
                in_=_in(shown),
                **given,
            )
        )
    value = float(digits)
    if not math.isfinite(value):
        raise Refused(Message("{name}: {text!r} is too large for {belongs}", **given))
    if form["type"] == "integer":
        if not re.fullmatch(r"[+-]?\d+", digits):
            raise Refused(Message("{name}: {text!r} is not {belongs}", **given))
        return int(digits)
    return value


def _in(shown: str) -> str:
    return Message(", in {shown}", shown=shown) if shown else ""
