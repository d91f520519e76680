"""A recording as plain data: what a flight recorder held at one moment, for a file and for replay.

It holds what was on the wire and what config calls the device; no token and no password. An access
code that is part of an address is masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, get_args

from drivers.errors import BadReply
from drivers.transport.address import Address
from drivers.transport.recorder import Entry, Kind, Recorder
from drivers.transport.wording import words_for

SCHEMA: Final = "labkeeper/recording/1"
BYTES: Final = frozenset({"sent", "received"})
"""Kinds of entries that hold bytes of the wire; the text of the others is their all."""
MASK: Final = "***"

_SECRET = re.compile(r"code|key|pass|secret|token", re.IGNORECASE)
_LOGIN = re.compile(r"(^|//)[^/@]*@")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """One line as it was up to a moment, and the device on whose behalf it was written down.

    `time` is the moment in RFC 3339 and `monotonic` the same in seconds of the station's monotonic
    clock, by which the entries are timed. `values` are the last that were believed, by reading.
    """

    station: str
    device: str
    driver: str
    address: str
    time: str
    monotonic: float
    entries: tuple[Entry, ...]
    identity: str = ""
    state: str = ""
    reason: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    timeouts: Mapping[str, float] = field(default_factory=dict)
    """Seconds by name, where config has others than the driver."""
    values: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, tuple[Any, ...]] | None = None
    """What each reading may give in a replay; written by the person who makes it a test."""

    @classmethod
    def of(cls, recorder: Recorder, address: Address, **about: Any) -> Self:
        """What a recorder holds now of the line to this address; `about` are the other fields."""
        now = recorder.now()
        return cls(address=masked(address), monotonic=now, entries=recorder.entries(), **about)

    @property
    def scheme(self) -> str:
        """The first part of the address, such as "tcp"."""
        return self.address.partition("://")[0]

    @property
    def is_empty(self) -> bool:
        """Whether not a byte was on the wire."""
        return BYTES.isdisjoint(kind for _, kind, *_ in self.entries)

    def as_dict(self) -> dict[str, Any]:
        """The recording as JSON holds it; `at` is in seconds before (-) or after the moment."""
        words = words_for(self.scheme)
        form: dict[str, Any] = {
            "schema": SCHEMA,
            **{name: getattr(self, name) for name in _PLAIN},
            "versions": dict(self.versions),
            "timeouts": dict(self.timeouts),
            "values": dict(self.values),
        }
        if self.expected is not None:
            form["expected"] = {name: list(values) for name, values in self.expected.items()}
        form["entries"] = [self._entry(entry, words) for entry in self.entries]
        return form

    def as_json(self) -> str:
        """The same as text: what it is about first, then one entry a line."""
        form = self.as_dict()
        entries = form.pop("entries")
        head = json.dumps(form, indent=1, ensure_ascii=False).removesuffix("\n}")
        lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
        return f'{head},\n "entries": [\n{lines}\n ]\n}}\n'

    def _entry(self, entry: Entry, words: Any) -> dict[str, Any]:
        time, kind, data, size = entry
        form: dict[str, Any] = {"at": round(time - self.monotonic, 6), "kind": kind}
        if kind in BYTES:
            form["hex"] = data.hex()
            if size > len(data):
                form["size"] = size  # of which the first are kept
            if text := words(data, kind):
                form["text"] = text
        elif data:
            form["text"] = data.decode(errors="replace")
        return form


_PLAIN: Final = (
    *("station", "device", "driver", "address", "identity"),
    *("state", "reason", "time", "monotonic"),
)


def recording_from(form: Any) -> Recording:
    """Take a recording from its JSON form. Raises BadReply, which says what is wrong with it."""
    try:
        if form["schema"] != SCHEMA:
            raise BadReply(f"{form['schema']!r} is not {SCHEMA}: write it with this version")
        expected = form.get("expected")
        return Recording(
            **{name: form[name] for name in _PLAIN},
            versions=form["versions"],
            timeouts=form["timeouts"],
            values=form["values"],
            expected=expected and {name: tuple(values) for name, values in expected.items()},
            entries=tuple(_entries(form["monotonic"], form["entries"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadReply(f"this is no recording of labkeeper: {error!r}") from error


def _entries(anchor: float, forms: Iterable[Mapping[str, Any]]) -> Iterable[Entry]:
    for form in forms:
        if form["kind"] not in get_args(Kind):
            raise ValueError(f"an entry is {form['kind']!r}; known: {', '.join(get_args(Kind))}")
        in_hex = form["kind"] in BYTES
        data = bytes.fromhex(form["hex"]) if in_hex else form.get("text", "").encode()
        yield anchor + form["at"], form["kind"], data, form.get("size", len(data))


def masked(address: Address) -> str:
    """The address as config spells it, without what opens a door."""
    port = f":{address.port}" if address.port else ""
    options = "&".join(
        f"{name}={MASK if _SECRET.search(name) else value}"
        for name, value in address.options.items()
    )
    place = _LOGIN.sub(rf"\1{MASK}@", address.place)
    return f"{address.scheme}://{place}{port}{'?' if options else ''}{options}"
