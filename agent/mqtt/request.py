"""A request as it arrives: JSON taken apart and checked, or refused with a sentence. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

MOST_BYTES: Final = 65_536
ID: Final = re.compile(r"[A-Za-z0-9._:~-]{1,64}")
"""Also one level of a topic, so without /, + and #."""
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)")
"""RFC 3339, section 5.6, in UTC."""
LONGEST_NAME: Final = 80

SCHEMA: Final = "labkeeper/request/1"
ANY: Final = frozenset({"schema", "id", "not_after", "device", "by"})
KEYS: Final = {
    "read": ANY | {"name"},
    "set": ANY | {"name", "value"},
    "do": ANY | {"name", "arguments"},
    "stop": ANY,
}
NEEDED: Final = {
    "read": ("id", "not_after", "device"),
    "set": ("id", "not_after", "device", "name", "value"),
    "do": ("id", "not_after", "device", "name"),
    "stop": ("id", "device"),
}


class BadRequest(Exception):
    """The request can't be understood; the message says why, for whoever wrote it.

    `told` holds what could be understood of id, device and by.
    """

    def __init__(self, why: str, told: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.told = dict(told or {})


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request. `name` is a reading, setting or command, "" for every reading."""

    verb: str
    id: str
    device: str
    name: str = ""
    by: str = ""
    not_after: float | None = None
    """Seconds UTC; None only for a stop, which does not expire."""
    value: object = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    fingerprint: str = ""
    """The same for two requests that ask for the same thing, whenever they expire."""


def parse(verb: str, payload: bytes) -> Request:
    """Take a request apart. Raises BadRequest."""
    body = _object(payload)
    told = {key: body[key] for key in ("id", "device", "by") if _is_name(body.get(key))}
    if not ID.fullmatch(told.get("id", "")):
        told.pop("id", None)
    try:
        return _request(verb, body)
    except BadRequest as refusal:
        raise BadRequest(str(refusal), told) from None


def _request(verb: str, body: dict[str, Any]) -> Request:
    _check_keys(verb, body)
    _check_types(body)
    return Request(
        verb=verb,
        not_after=_moment(body["not_after"]) if "not_after" in body else None,
        fingerprint=_fingerprint(verb, body),
        **{key: body[key] for key in body.keys() - {"schema", "not_after"}},
    )


def _check_keys(verb: str, body: dict[str, Any]) -> None:
    if verb not in KEYS:
        raise BadRequest(f"{verb[:LONGEST_NAME]} is no request; requests: {', '.join(KEYS)}")
    for key in body:
        if key not in KEYS[verb]:
            allowed = ", ".join(sorted(KEYS[verb]))
            raise BadRequest(f"{key[:LONGEST_NAME]!r} is no key of {verb}; keys: {allowed}")
    for key in NEEDED[verb]:
        if key not in body:
            raise BadRequest(f"{key} is missing: {verb} needs {', '.join(NEEDED[verb])}")


def _check_types(body: dict[str, Any]) -> None:
    if not isinstance(body["id"], str) or not ID.fullmatch(body["id"]):
        raise BadRequest("id is not 1 to 64 letters, digits and . _ : ~ - such as a UUID")
    for key in ("device", "name", "by"):
        if key in body and not _is_name(body[key]):
            raise BadRequest(f"{key} is not a text of 1 to {LONGEST_NAME} characters")
    if body.get("schema", SCHEMA) != SCHEMA:
        raise BadRequest(f"schema is not {SCHEMA}, the only one known")
    if not isinstance(body.get("arguments", {}), dict):
        raise BadRequest("arguments is not an object of values by name")


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > MOST_BYTES:
        raise BadRequest(f"{len(payload)} bytes are too many; allowed: {MOST_BYTES}")
    try:
        body = json.loads(payload.decode(), object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise BadRequest("the JSON is nested too deeply") from None
    except ValueError as error:  # also of UTF-8, of half a surrogate pair and of 1e999
        raise BadRequest(f"it is no JSON object in UTF-8: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest("it is no JSON object in UTF-8")
    return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these pairs; of a key given twice, nobody knows which is meant."""
    body = dict(pairs)
    if len(body) < len(pairs):
        raise ValueError("a key is given twice")
    return body


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _moment(text: object) -> float:
    try:
        if not isinstance(text, str) or not MOMENT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise BadRequest("not_after is no time in UTC such as 2026-11-23T09:30:00Z") from None


def _fingerprint(verb: str, body: Mapping[str, Any]) -> str:
    asked = {key: value for key, value in body.items() if key not in {"not_after", "schema"}}
    return json.dumps([verb, asked], sort_keys=True)
