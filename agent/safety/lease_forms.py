"""Reservations as the disk has them, and what is made of one that can't be read. Pure.

A device whose reservation can't be read is not free: it counts as reserved by somebody unknown until
the time that is written there, or as long as any reservation may last.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any, Final, TypeGuard, cast

from agent.languages.message import Message
from agent.safety.reservations import Lease
from agent.store.entries import Json

LONGEST_S: Final = 24 * 3600.0
"""How long a reservation may last."""
UNKNOWN: Final = "(unknown)"
"""Whose a reservation is that can't be read. Nobody can have this name: it has parentheses."""
TEXTS: Final = ("device", "by", "origin", "reason")
TIMES: Final = ("since", "until")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalled:
    """What has not ended of the reservations of before, and the forms that can't be read."""

    leases: tuple[Lease, ...]
    unread: tuple[Json, ...]


def form_of(lease: Lease) -> dict[str, Json]:
    """A reservation as JSON."""
    form: dict[str, Any] = asdict(lease)
    del form["ends"]  # of this boot alone
    return form


def recalled(kept: object, devices: Collection[str], now: float, mono: float) -> Recalled:
    """Read them all. One that names no device may be anybody's: it keeps every device."""
    forms = kept if isinstance(kept, list) else [kept]
    found, unknown, unread = list[Lease](), list[Lease](), list[Json]()
    for form in forms:
        lease = _read(form, now, mono)
        if lease is None:
            unread.append(cast("Json", form))
            unknown += _unknown(form, devices, now, mono)
        else:
            found.append(lease)
    by_device = {it.device: it for it in [*unknown, *found] if it.ends > mono}
    return Recalled(leases=tuple(by_device.values()), unread=tuple(unread))


def _read(form: object, now: float, mono: float) -> Lease | None:
    """The reservation; what a later agent has added to it is passed over. None where it is none."""
    if not isinstance(form, dict) or not _has_all(form):
        return None
    known = {it.name for it in fields(Lease)} & form.keys()
    left = min(form["until"] - now, form["until"] - form["since"])  # the clock may have been set
    return Lease(**{name: form[name] for name in known - {"ends"}}, ends=mono + left)


def _has_all(form: dict[str, Any]) -> bool:
    texts = all(isinstance(form.get(name), str) for name in TEXTS)
    return texts and all(_is_time(form.get(name)) for name in TIMES)


def _unknown(form: object, devices: Collection[str], now: float, mono: float) -> list[Lease]:
    its: dict[str, Any] = form if isinstance(form, dict) else {}
    until = its.get("until")
    left = min(until - now, LONGEST_S) if _is_time(until) else LONGEST_S
    device = its.get("device")
    return [
        Lease(
            device=name,
            by=UNKNOWN,
            origin="agent",
            reason=Message("what is on record of its reservation can't be read"),
            since=now,
            until=now + left,
            ends=mono + left,
        )
        for name in ([device] if isinstance(device, str) else sorted(devices))
    ]


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
