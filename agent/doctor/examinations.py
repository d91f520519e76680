"""Every examination by its name, in the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from agent.doctor.adapters import adapters
from agent.doctor.broker import broker
from agent.doctor.certificates import certificates
from agent.doctor.clock import clock
from agent.doctor.config import config
from agent.doctor.database import database
from agent.doctor.devices import devices
from agent.doctor.disk import disk
from agent.doctor.faults import faults
from agent.doctor.finding import Finding
from agent.doctor.patient import Patient
from agent.doctor.people import people
from agent.doctor.ports import ports
from agent.doctor.unit import unit
from agent.doctor.versions import versions
from agent.doctor.web_door import web_door
from agent.languages.message import N_

Examination = Callable[[Patient], Iterator[Finding]]

EXAMINATIONS: Final[Mapping[str, Examination]] = MappingProxyType(
    {
        "config": config,
        "ports": ports,
        "adapters": adapters,
        "devices": devices,
        "broker": broker,
        "clock": clock,
        "disk": disk,
        "database": database,
        "versions": versions,
        "faults": faults,
        "certificates": certificates,
        "unit": unit,
        "web": web_door,
        "people": people,
    }
)

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "config": N_("Config"),
        "ports": N_("Serial ports"),
        "adapters": N_("Serial adapters"),
        "devices": N_("Devices"),
        "broker": N_("Broker"),
        "clock": N_("Clock"),
        "disk": N_("Disk"),
        "database": N_("Database"),
        "versions": N_("Versions"),
        "faults": N_("Last faults"),
        "certificates": N_("Certificates"),
        "unit": N_("Service"),
        "web": N_("Doors of the console"),
        "people": N_("People"),
    }
)
