"""A request as it arrives: JSON taken apart and checked, or refused with a sentence. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from agent.mqtt.verbs import ID, KEYS, LONGEST_NAME, NEEDED, RULES, is_name

MOST_BYTES: Final = 65_536
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)")
"""RFC 3339, section 5.6, in UTC."""
MOMENTS: Final = ("not_after", "not_before")
TOLD: Final = ("id", "device", "job", "by")


class BadRequest(Exception):
    """The request can't be understood; the message says why, for whoever wrote it.

    `told` holds what could be understood of id, device, job and by.
    """

    def __init__(self, why: str, told: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.told = dict(told or {})


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request. What its verb does not take is empty.

    `name` is a reading, setting or command, "" for every reading; `device` is "" where a stop is
    for every device.
    """

    verb: str
    id: str
    device: str = ""
    name: str = ""
    by: str = ""
    not_after: float | None = None
    """Seconds UTC; None only for a stop, which does not expire."""
    value: object = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    job: str = ""
    question: str = ""
    recipe: str = ""
    devices: Mapping[str, str] = field(default_factory=dict)
    held: bool = False
    priority: int = 0
    copies: int = 1
    not_before: float | None = None
    """When a job may begin at the earliest, in seconds UTC."""
    fingerprint: str = ""
    """The same for two requests that ask for the same thing, whenever they expire."""

    @property
    def told(self) -> dict[str, str]:
        """Who asks, and about what."""
        return {key: text for key in TOLD if (text := getattr(self, key))}


def parse(verb: str, payload: bytes) -> Request:
    """Take a request apart. Raises BadRequest."""
    body = _object(payload)
    told = {key: body[key] for key in TOLD if is_name(body.get(key))}
    if not ID.fullmatch(told.get("id", "")):
        told.pop("id", None)
    try:
        return _request(verb, body)
    except BadRequest as refusal:
        raise BadRequest(str(refusal), told) from None


def _request(verb: str, body: dict[str, Any]) -> Request:
    _check_keys(verb, body)
    _check_types(body)
    moments: dict[str, Any] = {key: _moment(key, body[key]) for key in MOMENTS if key in body}
    given = {key: body[key] for key in body.keys() - {"schema", *MOMENTS}}
    return Request(verb=verb, fingerprint=_fingerprint(verb, body), **given, **moments)


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
    for key, rule in RULES.items():
        if key in body and not rule.holds(body[key]):
            raise BadRequest(f"{key} is not {rule.words}")


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


def _moment(key: str, text: object) -> float:
    try:
        if not isinstance(text, str) or not MOMENT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise BadRequest(f"{key} is no time in UTC such as 2026-11-23T09:30:00Z") from None


def _fingerprint(verb: str, body: Mapping[str, Any]) -> str:
    asked = {key: value for key, value in body.items() if key not in {"not_after", "schema"}}
    return json.dumps([verb, asked], sort_keys=True)
