"""Which simulator stands in for which device, and where it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from agent.errors import Refused
from agent.languages.message import Message

SERIAL: Final = "serial://{path}?baudrate=115200"
TWINS: Final[Mapping[str, tuple[str, str]]] = {
    "siglent.spd1000x": ("psu1", "tcp://{host}:{port}"),
    "keysight.34460a": ("dmm1", "visa://TCPIP0::{host}::{port}::SOCKET"),
    "autonics.tk4": ("oven1", "modbus+tcp://{host}:{port}?unit=1"),
    "printers.marlin": ("printer1", SERIAL),
    "printers.moonraker": ("printer2", "http://{host}:{port}"),
    "printers.prusalink": ("printer3", "http://{host}:{port}"),
    "printers.octoprint": ("printer4", "http://{host}:{port}"),
    "motion.grbl": ("stage1", SERIAL),
}
"""The name in the room of simulators, and what the address is, by driver."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Twin:
    """The simulator of one device: its name in a room, and which room of several that is."""

    device: str
    name: str
    room: int
    address: str
    """With `{host}` and `{port}`, or `{path}`, to fill in."""

    def at(self, where: Mapping[str, Any]) -> str:
        """Its address, where the room has told its connector."""
        host, port = where.get("tcp") or where.get("http") or ("", 0)
        return self.address.format(host=host, port=port, path=quote(str(where.get("pty", ""))))


def twins_of(drivers: Mapping[str, str]) -> list[Twin]:
    """A twin for each device, by the names of their drivers.

    The second device of a kind is in a second room: a room has one of each.

    Raises:
        Refused: Of some kind there is no simulator.
    """
    if missing := sorted(f"{n} ({it})" for n, it in drivers.items() if it not in TWINS):
        raise Refused(
            Message(
                "no simulator stands in for {missing}: a dry run is not possible; there are "
                "some for {twins}",
                missing=", ".join(missing),
                twins=", ".join(TWINS),
            )
        )
    made: list[Twin] = []
    for device, driver in sorted(drivers.items()):
        name, address = TWINS[driver]
        room = sum(it.name == name for it in made)
        made.append(Twin(device=device, name=name, room=room, address=address))
    return made


def rooms_of(twins: Iterable[Twin]) -> list[list[str]]:
    """What each room must have."""
    all_twins = list(twins)
    count = 1 + max((it.room for it in all_twins), default=0)
    return [[it.name for it in all_twins if it.room == room] for room in range(count)]
