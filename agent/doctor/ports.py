"""The serial ports of the config: there, allowed, and held by nobody else. None is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.doctor.finding import Finding, doubtful, right, unknown, wrong
from agent.doctor.patient import Patient
from agent.doctor.user import User, agent_user, group_of
from agent.install.parts import PARTS
from agent.languages.message import N_, Message
from drivers import Address, holders

PROC: Final = Path("/proc")
MODEM: Final = "ModemManager"


def ports(patient: Patient) -> Iterator[Finding]:
    """Each port of an enabled device, and who looks for modems at them."""
    station = patient.station
    user = agent_user(station.state)
    places: dict[str, list[str]] = {}
    numbered = list[Finding]()
    for device in station.devices.values():
        if device.enabled and (port := device.address.serial_port):
            places.setdefault(port, []).append(device.name)
        elif device.enabled and _is_numbered(device.address):
            numbered.append(_numbered(device.name, device.address.place))
    for place, names in places.items():
        yield _port(", ".join(names), Path(place), user, patient)
    yield from numbered
    if not (places or numbered):
        yield right(Message("no device is at a serial port of this machine"))
    elif _runs(MODEM, patient.root):
        yield _modem(patient.root)


def _is_numbered(address: Address) -> bool:
    """Whether it is a serial port of VISA's by a number or an alias."""
    return address.scheme == "visa" and address.place.upper().startswith("ASRL")


def _numbered(who: str, resource: str) -> Finding:
    text = N_("{device}: which port {resource} is, the VISA library alone knows")
    todo = N_("with pyvisa-py, the default, name the port: visa://ASRL/dev/serial/by-id/…::INSTR")
    return unknown(Message(text, device=who, resource=resource), Message(todo))


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
    holder = holders(str(port))
    if not holder:
        return right(Message("{device}: {port} is there, and free", **what))
    if _is_the_agents(holder, patient.agent_pid):
        return right(Message("{device}: {port} is there, and the agent has it", **what))
    text = N_("{device}: {port} is held by {holder}")
    todo = N_("close it there; the agent then takes the port by itself")
    return wrong(Message(text, **what, holder=holder), Message(todo))


def _is_the_agents(holder: str, agent: int | None) -> bool:
    """Whether all who hold it are the agent, or the process in which it calls a vendor's VISA library."""
    pids = [int(it) for it in re.findall(r"\(process (\d+)\)", holder)]
    return agent is not None and all(agent in {pid, _parent(pid)} for pid in pids)


def _parent(pid: int) -> int | None:
    """The process that has started this one; None where it has ended."""
    try:
        status = (PROC / str(pid) / "status").read_text("utf-8", "replace")
    except OSError:
        return None
    found = re.search(r"^PPid:\t(\d+)$", status, re.MULTILINE)
    return int(found[1]) if found else None


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
