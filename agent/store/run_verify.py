"""Says whether a run folder is what was closed, without an agent: every file, and nothing else.

It is read piece by piece, on any medium, and nothing is written. No link is followed and no name
leads out of the folder, whatever the manifest says.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.languages.message import Message
from agent.store import run_manifest
from agent.store.run_files import digest_of, is_inside, opened
from agent.store.run_manifest import FACTS, NAME, SIDECAR, Listed
from agent.store.run_shelf import files_of
from agent.store.store_errors import NotRead

SHOWN: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is wrong: the file, and what it is."""

    file: str
    text: str

    def __str__(self) -> str:
        file = self.file if self.file.isprintable() else ascii(self.file)[1:-1]
        return Message("{name}: {text}", name=file, text=self.text)


@dataclass(kw_only=True)
class RunVerdict:
    """What was found of a folder. `sha256` is of its manifest; "" where there is none."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    form: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    files: int = 0
    size: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def said(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "verified": self.is_whole,
            "manifest": self.sha256,
            "files": self.files,
            "bytes": self.size,
            "faults": [{"file": it.file, "text": it.text} for it in self.faults],
            "notes": list(self.notes),
        }

    def found(self, file: str, text: str) -> None:
        """Add what is wrong."""
        self.faults.append(Fault(file=file, text=text))


def verify(folder: Path) -> RunVerdict:
    """Hold a folder against its manifest. Raises NotRead where there is no such folder."""
    if not folder.is_dir():
        raise NotRead(Message("there is no folder {folder}", folder=folder))
    verdict = RunVerdict()
    try:
        names = files_of(folder)
    except OSError as error:
        raise NotRead(
            Message("{path} can't be read: {why}", path=folder, why=error.strerror)
        ) from None
    if NAME not in names:
        _no_manifest(verdict, names)
        return verdict
    try:
        verdict.form, verdict.sha256 = run_manifest.read(folder)
    except NotRead as error:
        verdict.found(NAME, Message("was altered, or is another: {error}", error=error))
        return verdict
    _hold_against_sidecar(verdict, folder)
    listed = list(_listed(verdict))
    for it in listed:
        _hold(verdict, folder, it)
    _hold_recipes(verdict, {it.name: it.sha256 for it in listed})
    for name in sorted({*names} - {it.name for it in listed} - {NAME, SIDECAR}):
        verdict.found(name, Message("was added: the manifest does not have it"))
    verdict.files, verdict.size = len(listed), sum(it.size for it in listed)
    return verdict


def _no_manifest(verdict: RunVerdict, names: list[str]) -> None:
    if FACTS in names:
        text = Message(
            "is missing: the job runs still, or the agent was ended and not started since; "
            "else it was removed"
        )
    else:
        text = Message(
            "is missing, and so is {facts}: this is no run folder, or not a whole one", facts=FACTS
        )
    verdict.found(NAME, text)


def _hold_against_sidecar(verdict: RunVerdict, folder: Path) -> None:
    try:
        beside = run_manifest.read_bytes(folder, SIDECAR)
    except NotRead as error:
        verdict.found(SIDECAR, Message("is missing or is no file: {error}", error=error))
        return
    if beside != run_manifest.sidecar(verdict.sha256):
        verdict.found(
            NAME,
            Message("was altered, or {sidecar} was: they do not belong together", sidecar=SIDECAR),
        )


def _listed(verdict: RunVerdict) -> Iterator[Listed]:
    """The files of the manifest that may be looked for."""
    files = verdict.form.get("files")
    seen: set[str] = set()
    for it in files if isinstance(files, list) else [None]:
        match it:
            case {"name": str(name), "size": int(size), "sha256": str(sha256)}:
                if not is_inside(name) or name in seen:
                    text = Message(
                        "names {name}, which is no name of a file in this folder",
                        name=ascii(name)[:SHOWN],
                    )
                    verdict.found(NAME, text)
                    continue
                seen.add(name)
                yield Listed(name=name, size=size, sha256=sha256)
            case _:
                verdict.found(NAME, Message("its list of files is not what labkeeper writes"))
                return


def _hold_recipes(verdict: RunVerdict, listed: Mapping[str, str]) -> None:
    """The recipe and those that it called are in the folder, and are what the job was checked with."""
    called = verdict.form.get("called")
    for it in [verdict.form.get("recipe"), *(called if isinstance(called, list) else [])]:
        match it:
            case {"name": str(name), "file": str(file), "sha256": str(sha256)} if sha256:
                if file not in listed:
                    verdict.found(
                        NAME,
                        Message("has no file of the recipe {name}", name=ascii(name)[1:-1][:SHOWN]),
                    )
                elif listed[file] != sha256:
                    verdict.found(
                        file, Message("is not the recipe that ran: its SHA-256 is another")
                    )


def _hold(verdict: RunVerdict, folder: Path, listed: Listed) -> None:
    try:
        descriptor = opened(folder, listed.name)
    except FileNotFoundError:
        verdict.found(listed.name, Message("is missing"))
        return
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        verdict.found(listed.name, Message("is a link, or can't be read: {why}", why=why))
        return
    try:
        _hold_content(verdict, descriptor, listed)
    except OSError as error:
        verdict.found(listed.name, Message("can't be read: {reason}", reason=error.strerror))
    finally:
        os.close(descriptor)


def _hold_content(verdict: RunVerdict, descriptor: int, listed: Listed) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        verdict.found(listed.name, Message("is no file"))
    elif status.st_size != listed.size:
        verdict.found(
            listed.name,
            Message(
                "was altered: it has {found:,} bytes, not {size:,}",
                found=status.st_size,
                size=listed.size,
            ),
        )
    elif digest_of(descriptor)[0] != listed.sha256:
        verdict.found(
            listed.name, Message("was altered: its SHA-256 is not the one of the manifest")
        )
