"""What the agent means to do with one device: config and driver, put together and checked."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from agent.settings import Cover, Device, Reconnect, Station
from drivers import Access, Address, Driver, Limits, Profile
from drivers.catalogue import load


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One device: `periods` holds seconds between polls by reading, 0 for only when asked."""

    name: str
    driver_name: str
    driver_class: type[Driver[Any]]
    address: Address
    titles: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    periods: Mapping[str, float] = field(default_factory=dict)
    timeouts: Mapping[str, float] = field(default_factory=dict)
    registers: Mapping[str, int] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)
    access: Access | None = None
    serial_number: str = ""
    simulated: bool = False
    make_safe_on_shutdown: bool = False
    safe_by: Mapping[str, Cover] = field(default_factory=dict)
    first_retry: float = 0.25
    most_retry: float = 4.0

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The hazardous outputs that nothing brings into their safe state when the agent is gone."""
        return tuple(
            name
            for name in self.driver_class.hazards
            if name not in self.safe_by or self.safe_by[name].by == "none"
        )

    def is_made_safe(self, *, in_order: bool) -> bool:
        """Whether the end of the agent makes it safe; without order also what nothing covers."""
        return self.make_safe_on_shutdown or (not in_order and bool(self.uncovered))


OpenDriver = Callable[[Plan], AbstractAsyncContextManager[Driver[Any]]]
"""Opens the link of a plan and yields its driver on it; raises LinkError."""


def plan_for(device: Device, reconnect: Reconnect) -> Plan:
    """Put a device's config and its driver together; config has been checked against the driver."""
    driver_class = load(device.driver)
    titles = {"ko": device.title.ko, "en": device.title.en}
    return Plan(
        name=device.name,
        driver_name=device.driver,
        driver_class=driver_class,
        address=device.address,
        titles={language: title for language, title in titles.items() if title},
        limits=device.limits,
        periods=_periods(device.driver, tuple(device.poll.items())),
        timeouts=device.timeouts,
        registers=device.registers,
        profile=device.profile,
        access=device.access,
        serial_number=device.serial_number,
        simulated=device.simulated,
        make_safe_on_shutdown=device.on_shutdown == "make_safe",
        safe_by=device.safe_by,
        first_retry=reconnect.first,
        most_retry=reconnect.most,
    )


@cache
def _periods(driver: str, poll: tuple[tuple[str, float], ...]) -> Mapping[str, float]:
    """One table for all devices that are polled alike."""
    periods = {name: reading.every for name, reading in load(driver).readings.items()}
    return MappingProxyType({**periods, **dict(poll)})


def plans_for(station: Station) -> dict[str, Plan]:
    """The plans of all devices that the agent is to talk to, by name."""
    return {
        name: plan_for(device, station.reconnect)
        for name, device in station.devices.items()
        if device.enabled
    }
