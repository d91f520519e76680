"""The kinds of values that the config's keys take. Nothing is bent: a number in quotes is text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import ip_address
from math import isfinite
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from agent.languages.message import Message
from drivers import Role

CODE = r"^([GMT](0|[1-9][0-9]*)(\.[0-9]+)?|(_+[A-Z]|[A-Z][A-Z_])[A-Z0-9_]*)$"
CODE_LINE = r"^[GMT](0|[1-9][0-9]*)(\.[0-9]+)?( +[!-~]+)*$"
LONGEST_S = 86_400.0
FASTEST_POLL_S = 0.05
ROLES = tuple(role.name.lower() for role in Role)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the agent listens: a host and a port. Port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, value: object) -> Listener:
        """Take `127.0.0.1:8080` apart, on this machine alone. Raises ValueError, with a sentence."""
        listener = cls.parse_any(value)
        if not _is_loopback(listener.host):
            raise ValueError(
                Message(
                    "{value!r} can be reached from the network, which is open only behind TLS, as "
                    "api.network; here it listens on this machine: write 127.0.0.1:{port}",
                    value=value,
                    port=listener.port,
                )
            )
        return listener

    @classmethod
    def parse_any(cls, value: object) -> Listener:
        """Take an address apart that other machines may reach. Raises ValueError."""
        if isinstance(value, Listener):
            return value
        host, separator, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
        plain = port.isascii() and port.isdecimal() and len(port) < 6
        if not (separator and host and plain and int(port) < 65536):
            raise ValueError(
                Message("{value!r} is not a host and a port such as 127.0.0.1:8080", value=value)
            )
        return cls(host.removeprefix("[").removesuffix("]"), int(port))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError(Message("has a line end or a control character: delete it"))
    return text


def _path(value: object) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError(
            Message(
                "{value!r} is not a path: put it in quotes if it looks like a number", value=value
            )
        )
    return Path(value)


def _poll(seconds: float) -> float:
    if 0 < seconds < FASTEST_POLL_S:
        raise ValueError(
            Message(
                "{seconds:g} s is too fast; allowed: {fastest:g} s or more, or 0 for "
                "only when asked",
                seconds=seconds,
                fastest=FASTEST_POLL_S,
            )
        )
    return seconds


def _reach(value: object) -> tuple[float, float]:
    match value:
        case [bool(), _] | [_, bool()]:
            pass
        case [int() | float() as low, int() | float() as high] if isfinite(low) and isfinite(high):
            if low < high:
                return float(low), float(high)
            raise ValueError(
                Message(
                    "{low:g} is not below {high:g}: write [lowest, highest]", low=low, high=high
                )
            )
    raise ValueError(
        Message("{value!r} is not two numbers in mm: write [lowest, highest]", value=value)
    )


def _script_line(text: str) -> str:
    if ";" in text:
        raise ValueError(
            Message(
                "{text!r} has a comment, which would be sent too: write it after a #", text=text
            )
        )
    return text


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        text = Message("{value!r} is not a day: write it as 2027-03-31", value=value)
        raise ValueError(text) from None


def _role(value: object) -> Role:
    if isinstance(value, Role):
        return value
    if value not in ROLES:
        raise ValueError(
            Message(
                "{value!r} is not a role; allowed: {roles}", value=value, roles=", ".join(ROLES)
            )
        )
    return Role[str(value).upper()]


def _protocol(value: object) -> str:
    if value not in (5, "5", "3.1.1") or isinstance(value, bool | float):
        raise ValueError(
            Message("{value!r} is not a version of MQTT; allowed: 5, 3.1.1", value=value)
        )
    return str(value)


def _host(text: str) -> str:
    if any(sign in text for sign in ":/ @"):
        try:
            ip_address(text)
        except ValueError:
            raise ValueError(
                Message(
                    "{text!r} is not a host: write a name or an IP address alone, without a port",
                    text=text,
                )
            ) from None
    return text


Text = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_printable)]
Label = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_printable)]
Host = Annotated[Text, AfterValidator(_host)]
End = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)]
Poll = Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False), AfterValidator(_poll)]
Code = Annotated[str, Field(max_length=40, pattern=CODE)]
ScriptLine = Annotated[str, Field(max_length=80, pattern=CODE_LINE), AfterValidator(_script_line)]
Reach = Annotated[
    tuple[float, float],
    PlainValidator(_reach),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
File = Annotated[
    Path,
    PlainValidator(_path),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
Day = Annotated[
    date,
    PlainValidator(_day),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "format": "date"}),
]
RoleName = Annotated[
    Role,
    PlainValidator(_role),
    PlainSerializer(lambda role: role.name.lower()),
    WithJsonSchema({"enum": list(ROLES)}),
]
Protocol = Annotated[str, PlainValidator(_protocol), WithJsonSchema({"enum": [5, "5", "3.1.1"]})]
NetworkListen = Annotated[
    Listener,
    PlainValidator(Listener.parse_any),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^.+:[0-9]{1,5}$"}),
]
Listen = Annotated[
    Listener,
    PlainValidator(Listener.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^(127\.[0-9.]+|localhost|\[::1\]):[0-9]{1,5}$"}),
]
