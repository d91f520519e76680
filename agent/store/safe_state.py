"""The safe-state file: what is to be made safe when the agent is gone, and how it is reached.

The agent keeps it up to date. `labkeeper make-safe` reads it, and needs nothing else: neither
config nor database nor a running agent. What that program then did is in a second file, which
the next agent takes into its ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal

from agent.languages.message import Message
from agent.store.store_errors import Damaged
from agent.store.whole_file import read_whole, write_whole
from drivers import Access, Address

NAME: Final = "safe-state.json"
MADE_SAFE: Final = "made-safe.json"
SCHEMA: Final = "labkeeper/safe-state/1"
MADE_SAFE_SCHEMA: Final = "labkeeper/made-safe/1"

Ended = Literal["", "in order", "in disorder"]
"""How the agent ended; "" while it runs, and so also when it was killed."""


class Seen(StrEnum):
    """How a device's hazardous outputs were when the agent last looked."""

    ON = "on"  # energised, or a command was under way that may energise
    UNKNOWN = "unknown"  # it answered, and not with this
    OFF = "off"
    AWAY = "away"  # no link, and not known to be on: the agent can't have switched it on


MAY_BE_ON: Final = frozenset({Seen.ON, Seen.UNKNOWN})


@dataclass(frozen=True, kw_only=True)
class SafeDevice:
    """One device with hazardous outputs, and all that it takes to speak to it.

    Attributes:
        act: Whether `labkeeper make-safe` has anything to do for it.
        doubt: Why a person has to look at it before it is used again; "" when nobody has to.
    """

    name: str
    driver: str
    address: Address
    access: Access | None = None
    serial_number: str = ""
    timeouts: Mapping[str, float] = field(default_factory=dict)
    registers: Mapping[str, int] = field(default_factory=dict)
    seen: Seen = Seen.AWAY
    act: bool = True
    doubt: str = ""


@dataclass(frozen=True, kw_only=True)
class SafeState:
    """The devices with hazardous outputs, by name, at one moment (seconds UTC).

    Attributes:
        unclean_ends: When the last agents ended without order, as far as that is counted, in seconds
            UTC, the oldest first.
        observe_only: Whether the agent only observes, until a person releases it.
    """

    written: float
    ended: Ended = ""
    devices: Mapping[str, SafeDevice] = field(default_factory=dict)
    unclean_ends: tuple[float, ...] = ()
    observe_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Made:
    """What `labkeeper make-safe` reached with one device, and whether that was confirmed."""

    confirmed: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class MadeSafe:
    """What `labkeeper make-safe` did, by device; `at` is when it ended, in seconds UTC.

    `acted_on` is when the safe-state file that it went by was written, in seconds UTC.
    """

    at: float
    acted_on: float
    devices: Mapping[str, Made]


def write_state(folder: Path, state: SafeState) -> None:
    """Put it on the disk. Blocks; raises DiskFailed."""
    devices = {name: _device_form(it) for name, it in state.devices.items()}
    form = {
        "written": state.written,
        "ended": state.ended,
        "unclean_ends": list(state.unclean_ends),
        "observe_only": state.observe_only,
        "devices": devices,
    }
    write_whole(folder / NAME, SCHEMA, form)


def read_state(folder: Path) -> SafeState:
    """What the last agent has left. Blocks; raises NotRead, and Damaged where it can't be believed."""
    body = read_whole(folder / NAME, SCHEMA)
    try:
        devices = {name: _device(name, it) for name, it in body["devices"].items()}
        return SafeState(
            written=body["written"],
            ended=body["ended"],
            devices=devices,
            unclean_ends=tuple(float(it) for it in body.get("unclean_ends", ())),
            observe_only=bool(body.get("observe_only", False)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(
            Message("{folder} is damaged: {error}", folder=folder / NAME, error=repr(error))
        ) from error


def write_made_safe(folder: Path, made: MadeSafe) -> None:
    """Put it on the disk. Blocks; raises DiskFailed."""
    devices = {n: {"confirmed": it.confirmed, "text": it.text} for n, it in made.devices.items()}
    form = {"at": made.at, "acted_on": made.acted_on, "devices": devices}
    write_whole(folder / MADE_SAFE, MADE_SAFE_SCHEMA, form)


def read_made_safe(folder: Path) -> MadeSafe:
    """What `labkeeper make-safe` did last. Blocks; raises NotRead and Damaged."""
    body = read_whole(folder / MADE_SAFE, MADE_SAFE_SCHEMA)
    try:
        devices = {
            n: Made(confirmed=bool(it["confirmed"]), text=str(it["text"]))
            for n, it in body["devices"].items()
        }
        at, acted_on = float(body["at"]), float(body["acted_on"])
        return MadeSafe(at=at, acted_on=acted_on, devices=devices)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(
            Message("{folder} is damaged: {error}", folder=folder / MADE_SAFE, error=repr(error))
        ) from error


def _device_form(device: SafeDevice) -> dict[str, Any]:
    address, access = device.address, device.access
    return {
        "driver": device.driver,
        "address": {
            "scheme": address.scheme,
            "place": address.place,
            "port": address.port,
            "options": dict(address.options),
        },
        "access": access
        and {
            "user": access.user,
            "password_file": _text(access.password_file),
            "key_file": _text(access.key_file),
        },
        "serial_number": device.serial_number,
        "timeouts": dict(device.timeouts),
        "registers": dict(device.registers),
        "seen": device.seen,
        "act": device.act,
        "doubt": device.doubt,
    }


def _device(name: str, form: Mapping[str, Any]) -> SafeDevice:
    access = form["access"]
    return SafeDevice(
        name=name,
        driver=form["driver"],
        address=Address(**form["address"]),
        access=access
        and Access(access["user"], _path(access["password_file"]), _path(access["key_file"])),
        serial_number=form["serial_number"],
        timeouts=form["timeouts"],
        registers=form["registers"],
        seen=Seen(form["seen"]),
        act=form["act"],
        doubt=form["doubt"],
    )


def _text(path: Path | None) -> str:
    """The path for a program that may be started in another folder."""
    return "" if path is None else str(path.absolute())


def _path(text: str) -> Path | None:
    return Path(text) if text else None
