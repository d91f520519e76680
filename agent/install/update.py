"""A bundle becomes the version that runs; and back to the one before.

The new version is made beside the old one and tried before anything is switched. What is switched
is one link, so a power cut leaves the old version or the new one, and running the same command
again finishes what was begun.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.errors import CannotStart
from agent.install.bundle import Bundle, opened
from agent.install.idle import RunningAgent, check_idle, nothing_begins
from agent.install.parts import PROGRAM, SIGNERS, STATE, STATION, UNIT
from agent.install.root import (
    Root,
    StepFailed,
    replace_whole,
    started,
    sync_folder,
    translated,
    tried,
)
from agent.install.versions import PREVIOUS, RELEASE, Release, Versions
from agent.languages.message import N_, Message

WHEELS: Final = "wheels"
LOCK: Final = "requirements.txt"


class NoWayBack(CannotStart):
    """There is no version to go back to, or it can't read what was written since."""


@dataclass(frozen=True)
class Update:
    """What brings a machine to another version.

    Attributes:
        agent: The agent that may run there.
    """

    root: Root
    agent: RunningAgent

    @property
    def versions(self) -> Versions:
        """The versions on the machine."""
        return Versions(self.root)

    def update(self, path: Path, signers: Path | None = None) -> None:
        """Install the bundle, and let it be what runs.

        Args:
            path: The bundle, or the folder that is in it.
            signers: Who may sign it; without it the machine's own file of signers counts, if any.

        Raises:
            NoPermission: It takes root.
            BadBundle: It is damaged, or not signed by whom it must be.
            NoRelease: It is for other machines.
            Busy: A job runs.
            StepFailed: Nothing was switched, or the version before was switched back to.
        """
        self.root.check_rights()
        own = self.root.inside(SIGNERS)
        with opened(path, signers or (own if own.exists() else None)) as bundle:
            wanted = bundle.release
            wanted.check_machine(_python())
            self._say_checked(bundle)
            there = self.versions.installed(wanted.version)
            if there is not None and there.sums != bundle.identity:
                raise StepFailed(
                    Message(
                        "there is another {version} on this machine, and a version is never "
                        "changed: make the bundle with a version of its own",
                        version=wanted.version,
                    )
                )
            self._check_idle()
            if there is None:
                self._make(bundle)
        self._begin(wanted)
        self._change_to(wanted)
        if not self.root.dry:
            self.versions.clear()

    def rollback(self, *, restored: bool = False) -> None:
        """Let the version before be what runs again.

        Args:
            restored: Whether the database was put back as that version left it.

        Raises:
            NoPermission: It takes root.
            NoWayBack: There is none, or it can't read the database.
            Busy: A job runs.
            StepFailed: Nothing was switched, or it was switched back.
        """
        self.root.check_rights()
        now, before = self.versions.current(), self.versions.previous()
        if before is None or now is None or before.version == now.version:
            raise NoWayBack(Message("there is no version before this one in {path}", path=PROGRAM))
        if before.tables < now.tables and not restored:
            text = N_(
                "{now} has changed the tables of the database, and {before} refuses them: put the "
                "copy from {state}/backup back first (docs/update.md says how), then say "
                "--database-restored"
            )
            raise NoWayBack(Message(text, now=now.version, before=before.version, state=STATE))
        self._check_idle()
        self._begin(before)
        self._change_to(before)

    def _say_checked(self, bundle: Bundle) -> None:
        text = N_("the bundle is whole: labkeeper {version}, {count} files")
        self.root.tell(Message(text, version=bundle.release.version, count=len(bundle.files)))

    def _check_idle(self) -> None:
        if self.root.is_live:
            check_idle(self.agent)

    def _make(self, bundle: Bundle) -> None:
        """The version in a folder of its own, tried, and marked as whole at last."""
        release = bundle.release
        folder = self.versions.folder(release.version)
        self.root.remove(folder)  # what a power cut has left of it
        if not self.root.does(Message("make {folder}", folder=folder)):
            return
        where = self.root.inside(folder)
        try:
            with translated(folder):
                bundle.unpack(where)
            self._make_environment(where)
            _say_where_it_will_be(where / "venv" / "bin", self.root)
            with translated(folder):
                os.sync()  # every file of it, before anything says that it is whole
                replace_whole(where / RELEASE, release.written(bundle.identity), 0o644)
                sync_folder(where.parent)
        except CannotStart:
            self.root.remove(folder)  # a disk that was full has room again
            raise

    def _make_environment(self, where: Path) -> None:
        self.root.tell(Message("install the locked libraries; every hash is checked"))
        venv = where / "venv"
        [pip] = (where / WHEELS).glob("pip-*.whl")
        python = venv / "bin" / "python"
        alone = ("--isolated", "--no-input", "--no-cache-dir", "--disable-pip-version-check")
        locked = ("--no-index", "--require-hashes", "--compile", "--quiet")
        chosen = ("--find-links", where / WHEELS, "--requirement", where / LOCK)
        commands: tuple[tuple[str | Path, ...], ...] = (
            (_base_python(), "-I", "-m", "venv", "--without-pip", venv),
            (python, "-I", pip / "pip", *alone, "install", *locked, *chosen),
            (venv / "bin" / "labkeeper", "--version"),
            (python, "-I", "-c", "import agent.web.console.page"),  # keeps its templates compiled
        )
        for command in commands:
            # What this machine's pip and Python are told otherwise must not count.
            if failure := tried(command, more={"PIP_CONFIG_FILE": os.devnull}):
                raise StepFailed(failure)

    def _begin(self, wanted: Release) -> None:
        """The config of the station must please the version before it is switched to."""
        if not self.root.inside(STATION).exists():
            return
        config = self.root.inside(STATION)
        if self.root.does(
            Message("check {config} with {version}", config=STATION, version=wanted.version)
        ):
            command = (*self._cli(wanted.version), "check", "--config", config)
            if failure := tried(command):
                text = N_(
                    "{version} does not take this station's config; nothing was switched: {why}"
                )
                raise StepFailed(Message(text, version=wanted.version, why=failure))

    def _change_to(self, wanted: Release) -> None:
        before, older = self.versions.current(), self.versions.previous()
        if self.root.dry or not self.root.is_live:
            self.versions.switch(wanted.version)
            self._install(wanted)
            return
        with nothing_begins(self.agent, f"labkeeper {wanted.version} is being installed"):
            self.versions.switch(wanted.version)
            self._install(wanted)
            failure = self._restarted(wanted)
        if failure:
            self._go_back(before, older, wanted, failure)

    def _install(self, wanted: Release) -> None:
        """Its own files of the station: unit, rules, folders."""
        options = () if self.root.is_this_machine else ("--root", self.root.folder)
        if not self.root.does(Message("install the files of {version}", version=wanted.version)):
            return
        ran = started((*self._cli(wanted.version), "install", *options))
        for line in ran.said.splitlines():
            self.root.tell(line)
        if ran.failure:
            raise StepFailed(ran.failure)

    def _restarted(self, wanted: Release) -> str:
        """Restart the agent if it runs, and is another. What went wrong; "" if nothing did."""
        if tried(("systemctl", "is-active", "--quiet", UNIT)):
            self.root.tell(Message("the agent does not run, and is not started by this"))
            return ""
        if self.agent.version() == wanted.version:
            self.root.tell(Message("the agent of {version} runs already", version=wanted.version))
            return ""
        self.root.tell(Message("restart the agent, and wait until it is ready"))
        return tried(("systemctl", "restart", UNIT))

    def _go_back(
        self, before: Release | None, older: Release | None, wanted: Release, failure: str
    ) -> None:
        """Both links as they were, and the agent as well. Raises StepFailed, always."""
        if before is None or before.version == wanted.version:
            raise StepFailed(failure)
        self.versions.switch(before.version)
        if older is not None:
            self.root.link(PREVIOUS, older.version)
        self._install(before)
        tried(("systemctl", "reset-failed", UNIT))
        again = tried(("systemctl", "restart", UNIT))
        if again:
            text = N_(
                "{wanted} did not start: {failure}; {before} was switched back to, and: {again}"
            )
        else:
            text = N_("{wanted} did not start: {failure}; {before} runs again")
        raise StepFailed(
            Message(
                text, wanted=wanted.version, before=before.version, failure=failure, again=again
            )
        )

    def _cli(self, version: str) -> tuple[str | Path, ...]:
        python = self.root.inside(self.versions.folder(version)) / "venv" / "bin" / "python"
        return (python, "-I", "-m", "agent.cli")


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _base_python() -> Path:
    """The Python of the machine, also where this one is of a virtual environment."""
    return Path(sys.base_prefix) / "bin" / f"python{_python()}"


def _say_where_it_will_be(scripts: Path, root: Root) -> None:
    """Scripts name their Python by its path on the machine that this folder will be."""
    if root.is_this_machine:
        return
    prefix = f"#!{root.folder}/".encode()
    with translated(scripts):
        for script in scripts.iterdir():
            if script.is_file() and not script.is_symlink():
                content = script.read_bytes()
                if content.startswith(prefix):
                    script.write_bytes(b"#!/" + content[len(prefix) :])
