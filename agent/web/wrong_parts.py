"""What is wrong with a body or a query, part by part, in the languages of the lab."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from agent.languages.message import N_, Message
from agent.web.problems import sendable

TEXTS: Final = MappingProxyType(
    {
        "missing": N_("Field required"),
        "extra_forbidden": N_("Extra inputs are not permitted"),
        "json_invalid": N_("JSON decode error"),
        "string_type": N_("Input should be a valid string"),
        "string_too_short": N_("String should have at least {min_length} characters"),
        "string_too_long": N_("String should have at most {max_length} characters"),
        "string_pattern_mismatch": N_("String should match pattern '{pattern}'"),
        "int_type": N_("Input should be a valid integer"),
        "int_parsing": N_("Input should be a valid integer, unable to parse string as an integer"),
        "float_type": N_("Input should be a valid number"),
        "float_parsing": N_("Input should be a valid number, unable to parse string as a number"),
        "finite_number": N_("Input should be a finite number"),
        "bool_type": N_("Input should be a valid boolean"),
        "bool_parsing": N_("Input should be a valid boolean, unable to interpret input"),
        "list_type": N_("Input should be a valid list"),
        "dict_type": N_("Input should be a valid dictionary"),
        "model_attributes_type": N_(
            "Input should be a valid dictionary or object to extract fields from"
        ),
        "greater_than": N_("Input should be greater than {gt}"),
        "greater_than_equal": N_("Input should be greater than or equal to {ge}"),
        "less_than": N_("Input should be less than {lt}"),
        "less_than_equal": N_("Input should be less than or equal to {le}"),
        "literal_error": N_("Input should be {expected}"),
    }
)
"""What pydantic says, by its kind of error. The rest is said as pydantic says it, in English."""
LONGEST: Final = 300


def wrong_part(part: Mapping[str, Any]) -> dict[str, str]:
    """Where something is wrong, and what."""
    where = ".".join(map(str, part["loc"]))
    return {"where": sendable(where)[:200], "text": _text(part)}


def _text(part: Mapping[str, Any]) -> str:
    said = sendable(part["msg"])[:LONGEST]
    known = TEXTS.get(part["type"])
    if known is None:
        return said
    values = {name: it for name, it in part.get("ctx", {}).items() if f"{{{name}}}" in known}
    try:
        text = Message(known, **values)
    except KeyError:  # another release of pydantic may name its values otherwise
        return said
    return text if text == said else said
