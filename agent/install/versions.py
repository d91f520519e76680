"""The versions of labkeeper on a machine: /opt/labkeeper/<version>, and which of them runs.

A version is whole once its `release.json` is there, which comes last. What runs is what the link
`current` names; `previous` names what ran before. A link is switched by renaming, so that after a
power cut it is the old one or the new one.
"""

from __future__ import annotations

import json
import platform
import re
from dataclasses import dataclass
from typing import Any, Final

from agent.errors import CannotStart
from agent.install.parts import PROGRAM
from agent.install.root import Root
from agent.languages.message import N_, Message

CURRENT: Final = f"{PROGRAM}/current"
PREVIOUS: Final = f"{PROGRAM}/previous"
RELEASE: Final = "release.json"
VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,63}")


class NoRelease(CannotStart):
    """What should describe a release does not."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """What is known of a release.

    Attributes:
        tables: The version of the database's tables that it writes; it refuses later ones.
        pythons: The Pythons that its libraries were fetched for, such as "3.11".
        machine: The processor that they were fetched for, such as "x86_64".
        sums: SHA-256 of its SHA256SUMS, so of everything in it; "" in the bundle itself.
    """

    version: str
    tables: int
    pythons: tuple[str, ...]
    machine: str
    sums: str = ""

    @classmethod
    def read(cls, content: bytes | str, source: object) -> Release:
        """Take it from JSON. Raises NoRelease."""
        try:
            form: dict[str, Any] = json.loads(content)
            made = cls(
                version=str(form["version"]),
                tables=int(form["tables"]),
                pythons=tuple(map(str, form["pythons"])),
                machine=str(form["machine"]),
                sums=str(form.get("sums", "")),
            )
        except (ValueError, KeyError, TypeError) as error:
            text = Message("{source} does not describe a release of labkeeper", source=source)
            raise NoRelease(text) from error
        if not VERSION.fullmatch(made.version):
            raise NoRelease(Message("{source}: its version is no version", source=source))
        return made

    def written(self, sums: str) -> bytes:
        """It as JSON, with what it was made of."""
        form = {
            "version": self.version,
            "tables": self.tables,
            "pythons": list(self.pythons),
            "machine": self.machine,
            "sums": sums,
        }
        return f"{json.dumps(form, indent=1)}\n".encode()

    def check_machine(self, python: str, machine: str = "") -> None:
        """Raise NoRelease where its libraries are for other machines."""
        here = machine or platform.machine()
        if self.machine != here:
            text = N_("this bundle is for {theirs}, and this machine is {here}: make one for it")
            raise NoRelease(Message(text, theirs=self.machine, here=here))
        if python not in self.pythons:
            raise NoRelease(
                Message(
                    "this bundle is for Python {theirs}, and this is Python {here}: "
                    "make one with scripts/release --python {here}",
                    theirs=", ".join(self.pythons),
                    here=python,
                )
            )


@dataclass(frozen=True)
class Versions:
    """The versions on a machine."""

    root: Root

    def folder(self, version: str) -> str:
        """Where a version is, on that machine."""
        return f"{PROGRAM}/{version}"

    def current(self) -> Release | None:
        """What runs from the next start on."""
        return self._named(CURRENT)

    def previous(self) -> Release | None:
        """What ran before it, and is there still."""
        return self._named(PREVIOUS)

    def installed(self, version: str) -> Release | None:
        """A version that is whole on this machine."""
        file = self.root.inside(self.folder(version)) / RELEASE
        try:
            return Release.read(file.read_bytes(), file)
        except (OSError, NoRelease):
            return None

    def switch(self, version: str) -> None:
        """Let a version be what runs; the one that ran is kept as the previous one."""
        now = self.current()
        if now is not None and now.version != version:
            self.root.link(PREVIOUS, now.version)
        self.root.link(CURRENT, version)

    def clear(self) -> None:
        """Remove what is neither current nor previous, half-made versions as well."""
        kept = {self._target(CURRENT), self._target(PREVIOUS)}
        folder = self.root.inside(PROGRAM)
        names = sorted(it.name for it in folder.iterdir() if it.is_dir() and not it.is_symlink())
        for name in names:
            if name not in kept:
                self.root.remove(f"{PROGRAM}/{name}")

    def _named(self, link: str) -> Release | None:
        target = self._target(link)
        return self.installed(target) if target else None

    def _target(self, link: str) -> str:
        try:
            return self.root.inside(link).readlink().name
        except OSError:
            return ""
