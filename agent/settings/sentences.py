"""What pydantic refuses, as a sentence for a technician and the place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from agent.errors import Problem
from agent.languages.message import N_, Message
from agent.settings.document import Document, KeyPath
from agent.settings.interlock_models import DOTTED
from agent.settings.models import DEVICE_NAME, STATION_NAME
from agent.settings.values import CODE, CODE_LINE

LONGEST_SHOWN: Final = 60
AT_KEY: Final = {"extra_forbidden", "missing"}
PATTERNS: Final = {
    STATION_NAME: N_("1 to 40 of the letters a to z, digits and -"),
    DEVICE_NAME: N_("1 to 40 of the letters a to z, digits and _, a letter first"),
    DOTTED: N_("a device and one of its readings, such as oven.temperature"),
    CODE: N_("G, M or T and a number, such as M500, or a macro in capitals, such as SAVE_CONFIG"),
    CODE_LINE: N_("a line of G-code in capital letters, such as G1 X0 F6000"),
}

# By pydantic's type of error; {given} is the value, the other words come from the error's context.
SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string_type": N_("{given} is not text: put it in quotes"),
        "string_too_short": N_("is empty: write a text, or delete the line"),
        "string_too_long": N_("is longer than {max_length} characters"),
        "bool_type": N_("{given} is neither true nor false"),
        "int_type": N_("{given} is not a whole number"),
        "float_type": N_("{given} is not a number; write it without quotes and without a unit"),
        "finite_number": N_("{given} is not a finite number"),
        "greater_than": N_("{given} is not allowed; it must be above {gt:.10g}"),
        "greater_than_equal": N_("{given} is not allowed; it must be {ge:.10g} or more"),
        "less_than_equal": N_("{given} is not allowed; it must be {le:.10g} or less"),
        "literal_error": N_("{given} is not allowed; allowed: {expected}"),
        "too_short": N_("has {actual_length} entries; at least {min_length} are needed"),
        "too_long": N_("has {actual_length} entries; at most {max_length} are taken"),
        "tuple_type": N_("{given} is not a list: write [one, two]"),
        "value_error": N_("{error}"),
        "model_type": N_("{given} is not a section: write keys under it, as `key: value`"),
        "model_attributes_type": N_(
            "{given} is not a section: write keys under it, as `key: value`"
        ),
        "dict_type": N_("{given} is not a section: write keys under it, as `key: value`"),
    }
)


def suggest(name: str, allowed: Iterable[str]) -> str:
    """The names that are allowed, the nearest one first: "did you mean poll? Allowed: …"."""
    names = list(allowed)
    near = get_close_matches(name, names, n=1)
    shown = ", ".join(names) or Message("none")
    if near:
        return Message("did you mean {near}? Allowed: {names}", near=near[0], names=shown)
    return Message("allowed: {names}", names=shown)


def problems_of(
    error: ValidationError, model: type[BaseModel], document: Document, base: KeyPath
) -> list[Problem]:
    """Say everything that pydantic refused of the part of the document that begins at `base`."""
    found = []
    for item in error.errors(include_url=False):
        loc, at_key = item["loc"], item["type"] in AT_KEY
        if loc[-1:] == ("[key]",):  # pydantic's word for the key of a mapping
            loc, at_key = loc[:-1], True
        path = base + _path_in(document, base, loc)
        if path not in document.refused:  # that was said already, with its cause
            text = _sentence(item, model, path[len(base) :])
            found.append(document.problem(path, text, at_key=at_key))
    return found


def _path_in(document: Document, base: KeyPath, loc: KeyPath) -> KeyPath:
    """The loc without pydantic's own words in it, such as the tag of a union."""
    path: KeyPath = ()
    for part in loc[:-1]:
        if (*base, *path, part) in document.values:
            path = (*path, part)
    return (*path, *loc[-1:])


def _sentence(item: ErrorDetails, model: type[BaseModel], path: KeyPath) -> str:
    kind, given, words = item["type"], _shown(item["input"]), item.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = _fields(_section(model, path[:-1]))
        return Message(
            "there is no such key here; {suggest}", suggest=suggest(str(path[-1]), allowed)
        )
    if kind == "missing":
        doc = _fields(_section(model, path[:-1]))[str(path[-1])].description
        return Message("is missing: add it. {doc}", doc=Message(doc) if doc else "")
    if kind == "string_pattern_mismatch":
        pattern = Message(PATTERNS[words["pattern"]])
        return Message("{given} is not allowed; allowed: {pattern}", given=given, pattern=pattern)
    if kind == "literal_error":
        words = {"expected": _one_of(words["expected"])}
    return Message(SENTENCES.get(kind, "{given}: {msg}"), given=given, msg=item["msg"], **words)


def _one_of(expected: str) -> str:
    """The choices as pydantic lists them: 'auto', 'json' or 'console'."""
    others, either, last = expected.rpartition(" or ")
    return Message("{others} or {last}", others=others, last=last) if either else last


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _section(model: type[BaseModel], path: KeyPath) -> type[BaseModel]:
    """The model that rules at this path."""
    kind: Any = model
    for part in path:
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
        else:
            kind = _fields(_model_in(kind))[str(part)].annotation
    found: type[BaseModel] = _model_in(kind)
    return found


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields by the keys that a file has for them, where `if` can't be a name in Python."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_in(kind: Any) -> Any:
    """The model itself, or the one in `Model | None`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    models = [member for member in get_args(kind) if get_origin(kind) is not dict]
    return next((found for member in models if (found := _model_in(member))), None)
