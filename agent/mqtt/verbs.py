"""What may be asked over MQTT: each verb with the keys that it takes, and what each key may be. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

SCHEMA: Final = "labkeeper/request/1"
ID: Final = re.compile(r"[A-Za-z0-9._:~-]{1,64}")
"""Also one level of a topic, so without /, + and #."""
LONGEST_NAME: Final = 80
MOST_DEVICES: Final = 50

ANY: Final = frozenset({"schema", "id", "not_after", "by"})
DEVICE: Final = ANY | {"device"}
JOB: Final = ANY | {"job"}
START: Final = frozenset(
    {"recipe", "arguments", "devices", "held", "priority", "copies", "not_before"}
)
KEYS: Final = {
    "read": DEVICE | {"name"},
    "set": DEVICE | {"name", "value"},
    "do": DEVICE | {"name", "arguments"},
    "stop": DEVICE,
    "job.start": ANY | START,
    "job.stop": JOB,
    "job.pause": JOB,
    "job.resume": JOB,
    "job.hold": JOB,
    "job.release": JOB,
    "job.answer": ANY | {"question", "value"},
}
NEEDED: Final = {
    "read": ("id", "not_after", "device"),
    "set": ("id", "not_after", "device", "name", "value"),
    "do": ("id", "not_after", "device", "name"),
    "stop": ("id",),
    "job.start": ("id", "not_after", "recipe"),
    "job.stop": ("id", "job"),
    "job.pause": ("id", "not_after", "job"),
    "job.resume": ("id", "not_after", "job"),
    "job.hold": ("id", "not_after", "job"),
    "job.release": ("id", "not_after", "job"),
    "job.answer": ("id", "not_after", "question", "value"),
}
STOPS: Final = frozenset({"stop", "job.stop"})
"""Carried out every time and at once: they never expire, need no role, and wait for no turn."""


def is_name(value: object) -> bool:
    """Whether this is a text that may name something."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _is_id(value: object) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _are_devices(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MOST_DEVICES
        and all(is_name(it) for pair in value.items() for it in pair)
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """What a key may be, and what a refusal calls that."""

    holds: Callable[[Any], bool]
    words: str


_NAME: Final = Rule(is_name, f"a text of 1 to {LONGEST_NAME} characters")
RULES: Final[Mapping[str, Rule]] = {
    "id": Rule(_is_id, "1 to 64 letters, digits and . _ : ~ - such as a UUID"),
    **dict.fromkeys(("device", "name", "by", "job", "recipe", "question"), _NAME),
    "schema": Rule(lambda given: given == SCHEMA, f"{SCHEMA}, the only one known"),
    "arguments": Rule(lambda given: isinstance(given, dict), "an object of values by name"),
    "devices": Rule(
        _are_devices, f"an object of at most {MOST_DEVICES} devices by the role that they play"
    ),
    "held": Rule(lambda given: isinstance(given, bool), "true or false"),
    **dict.fromkeys(("priority", "copies"), Rule(lambda given: type(given) is int, "an integer")),
}
"""The keys that are not here may be anything, or are looked at where they are used."""
