"""The serial ports of the config: there, allowed, and held by nobody else. None is opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.doctor.finding import Finding, doubtful, right, wrong
from agent.doctor.patient import Patient
from agent.doctor.user import User, agent_user, group_of
from agent.install.parts import PARTS
from agent.languages.message import N_, Message
from drivers import holders

ON_LINES: Final = frozenset({"serial", "modbus+rtu"})
MODEM: Final = "ModemManager"


def ports(patient: Patient) -> Iterator[Finding]:
    """Each port of an enabled device, and who looks for modems at them."""
    station = patient.station
    user = agent_user(station.state)
    places: dict[str, list[str]] = {}
    for device in station.devices.values():
        address = device.address
        if device.enabled and address.scheme in ON_LINES and address.place.startswith("/"):
            places.setdefault(address.place, []).append(device.name)
    for place, names in places.items():
        yield _port(", ".join(names), Path(place), user, patient)
    if not places:
        yield right(Message("no device is at a serial port of this machine"))
    elif _runs(MODEM, patient.root):
        yield _modem(patient.root)


def _port(who: str, port: Path, user: User, patient: Patient) -> Finding:
    what = {"device": who, "port": port}
    try:
        allowed = user.may_write(port)
        group = group_of(port)
    except FileNotFoundError:
        text = N_("{device}: there is no port {port}")
        todo = N_("plug it in, or look for its name in /dev/serial/by-id and /dev/serial/by-path")
        return wrong(Message(text, **what), Message(todo))
    except OSError as error:
        text = N_("{device}: {port} can't be looked at: {why}")
        why = (error.strerror or str(error)).lower()
        return wrong(Message(text, **what, why=why), Message("ask who manages this machine"))
    if not allowed:
        text = N_(
            "{device}: the agent's user {user} may not open {port}, which is of group {group}"
        )
        todo = N_("sudo usermod -aG {group} {user}, then start the agent anew")
        who_may = {"user": user.name, "group": group}
        return wrong(Message(text, **what, **who_may), Message(todo, **who_may))
    return _held(what, port, patient)


def _held(what: dict[str, object], port: Path, patient: Patient) -> Finding:
    holder, pid = holders(str(port)), patient.agent_pid
    if not holder:
        return right(Message("{device}: {port} is there, and free", **what))
    if pid is not None and f"(process {pid})" in holder:
        return right(Message("{device}: {port} is there, and the agent has it", **what))
    text = N_("{device}: {port} is held by {holder}")
    todo = N_("close it there; the agent then takes the port by itself")
    return wrong(Message(text, **what, holder=holder), Message(todo))


def _modem(root: Path) -> Finding:
    rule = PARTS["labkeeper.rules"]
    if (root / rule.lstrip("/")).exists():
        text = N_("ModemManager runs, and {rule} keeps it away from the ports")
        return right(Message(text, rule=rule))
    text = N_("ModemManager runs, and asks each port that is plugged in for a modem")
    todo = N_("`labkeeper install` writes the rule that keeps it away")
    return doubtful(Message(text), Message(todo))


def _runs(program: str, root: Path) -> bool:
    for process in (root / "proc").glob("[0-9]*/comm"):
        try:
            if process.read_text("utf-8", "replace").strip() == program:
                return True
        except OSError:  # it has ended just now
            continue
    return False
