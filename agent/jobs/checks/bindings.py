"""Which device plays which role of a recipe, and why one may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from agent.jobs.checks.offers import DriverOffer, NeedsOffer, Offer, unmet
from agent.jobs.recipes.device_roles import DeviceRole
from agent.jobs.recipes.recipe import Head
from agent.languages.message import Message, either
from agent.settings.document import KeyPath
from agent.settings.sentences import suggest
from agent.settings.station import Station
from drivers import catalogue
from drivers.errors import UnknownName

Say: TypeAlias = Callable[[KeyPath, str], None]
"""Takes the path of keys and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Bindings:
    """The devices by role, as far as they are known, and what each role offers."""

    devices: Mapping[str, str]
    offers: Mapping[str, Offer]


def bind(head: Head, station: Station | None, chosen: Mapping[str, str], say: Say) -> Bindings:
    """Bind roles to devices: those that were chosen, else those that the recipe names.

    Without a station nothing is bound, and each role offers what its driver or its needs say. Of a
    role that can't be bound there is no offer: what else could be said of it is a consequence.
    """
    devices: dict[str, str] = {}
    offers: dict[str, Offer] = {}
    for role in chosen:
        if role not in head.devices:
            say(
                ("devices",),
                Message(
                    "there is no role {role!r}; {suggest}",
                    role=role,
                    suggest=suggest(role, head.devices),
                ),
            )
    for role, wanted in head.devices.items():
        path: KeyPath = ("devices", role)
        if bool(wanted.driver) == bool(wanted.needs):
            say(
                path,
                Message(
                    "give driver, or needs: one of the two says which device may play the role"
                ),
            )
            continue
        device = chosen.get(role, wanted.device)
        if station is None or device is None:
            offer = _unbound(wanted, path, say)
        else:
            offer = _bound(wanted, station, device, path, say)
            if offer is not None:
                devices[role] = device
        if offer is not None:
            offers[role] = offer
    return Bindings(devices, offers)


def _unbound(wanted: DeviceRole, path: KeyPath, say: Say) -> Offer | None:
    if wanted.needs:
        return NeedsOffer(wanted)
    found = [_driver(name, (*path, "driver"), say) for name in wanted.driver]
    return found[0]


def _bound(
    wanted: DeviceRole, station: Station, device: str, path: KeyPath, say: Say
) -> Offer | None:
    at = (*path, "device")
    if device not in station.devices:
        say(
            at,
            Message(
                "{file} has no device {device!r}; {suggest}",
                file=station.file,
                device=device,
                suggest=suggest(device, station.devices),
            ),
        )
        return None
    its = station.devices[device]
    if not its.enabled:
        say(at, Message("{device} is not enabled ({place})", device=device, place=its.place))
    for name in wanted.driver:
        _driver(name, (*path, "driver"), say)
    if wanted.driver and its.driver not in wanted.driver:
        say(
            at,
            Message(
                "{device} has the driver {driver} ({place}), not {it_driver}",
                device=device,
                driver=its.driver,
                place=its.place,
                it_driver=either(wanted.driver),
            ),
        )
        return None
    offer = DriverOffer(device, catalogue.load(its.driver), its.limits)
    missing = unmet(wanted, offer)
    for text in missing:
        say((*path, "needs"), text)
    return None if missing else offer


def _driver(name: str, path: KeyPath, say: Say) -> Offer | None:
    try:
        return DriverOffer(name, catalogue.load(name))
    except (UnknownName, ImportError) as error:
        offered = catalogue.names()
        known = name in offered
        say(
            path,
            Message("{name} can't be loaded: {error}", name=name, error=str(error))
            if known
            else _no_driver(name, offered),
        )
    return None


def _no_driver(name: str, offered: tuple[str, ...]) -> str:
    return Message(
        "no driver is called {name!r}; {suggest}", name=name, suggest=suggest(name, offered)
    )
