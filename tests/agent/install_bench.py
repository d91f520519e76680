"""A machine in a folder, and bundles so small that a test makes several of them.

The programs in such a bundle are stand-ins of a few lines; tests/lab has the real ones.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from agent.install.root import Root
from agent.install.update import Update
from agent.install.versions import Versions

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# What `python pip.whl/pip … install … --requirement FILE` does, for one wheel without libraries.
PIP = """\
import sys, sysconfig, zipfile, pathlib
wheels = pathlib.Path(sys.argv[sys.argv.index("--find-links") + 1])
[ours] = wheels.glob("labkeeper-*.whl")
zipfile.ZipFile(ours).extractall(sysconfig.get_path("purelib"))
script = pathlib.Path(sys.prefix, "bin", "labkeeper")
script.write_text(f"#!{sys.executable}\\nimport sys; from agent.cli.__main__ import main; main()\\n")
script.chmod(0o755)
"""
PROGRAM = """\
import sys
def main():
    if sys.argv[1] in BROKEN:
        sys.exit("station.yaml:3:1: bench: this key is unknown")
    print(f"{sys.argv[1]} of VERSION")
if __name__ == "__main__":
    main()
"""


class PowerCut(Exception):
    """The machine is gone."""


@dataclass
class Quiet:
    """The agent of a machine whose systemd does not run: there is none."""

    jobs: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    begins: str = ""
    """A job that begins as soon as the queue was asked to hold, because it was on its way."""

    def doing(self) -> list[str]:
        self.asked.append("doing")
        return list(self.jobs)

    def version(self) -> str:
        return ""

    def hold(self, reason: str) -> bool:
        self.asked.append(f"hold: {reason}")
        self.jobs += [self.begins] if self.begins else []
        return True

    def let_go(self) -> None:
        self.asked.append("let go")


@dataclass
class Machine:
    """A folder that holds a machine, and what was said while it was worked on."""

    folder: Path
    said: list[str] = field(default_factory=list)
    agent: Quiet = field(default_factory=Quiet)
    cut_before: int = 0
    """The number of the step at which the power fails, from 1; 0: never."""

    def root(self, *, dry: bool = False) -> Root:
        return Root(folder=self.folder, dry=dry, tell=self._tell)

    def update(self, bundle: Path, signers: Path | None = None) -> None:
        Update(self.root(), self.agent).update(bundle, signers)

    def rollback(self, *, restored: bool = False) -> None:
        Update(self.root(), self.agent).rollback(restored=restored)

    @property
    def runs(self) -> str:
        """The version that runs from the next start on; its folder must be whole."""
        found = Versions(self.root()).current()
        return found.version if found else ""

    def versions(self) -> list[str]:
        folder = self.folder / "opt" / "labkeeper"
        return sorted(it.name for it in folder.iterdir() if it.is_dir() and not it.is_symlink())

    def _tell(self, text: str) -> None:
        self.said.append(str(text))
        if self.cut_before and len(self.said) == self.cut_before:
            raise PowerCut


def machine(folder: Path) -> Machine:
    """What sysusers and tmpfiles need, and nothing else."""
    etc = folder / "etc"
    etc.mkdir(parents=True)
    (etc / "os-release").write_text("ID=debian\n")
    (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (etc / "group").write_text("root:x:0:\ndialout:x:20:\n")
    return Machine(folder)


def bundle(
    folder: Path, version: str, *, tables: int = 7, broken: str = "", python: str = PYTHON
) -> Path:
    """The folder of a small bundle; `broken` is a command that its program fails at."""
    made = folder / f"labkeeper-{version}"
    (made / "wheels").mkdir(parents=True)
    program = PROGRAM.replace("BROKEN", repr(broken.split())).replace("VERSION", version)
    _zipped(made / "wheels" / "pip-1-py3-none-any.whl", {"pip/__main__.py": PIP})
    packages = ("agent", "agent/cli", "agent/web", "agent/web/console")
    ours = {f"{it}/__init__.py": "" for it in packages}
    ours |= {"agent/cli/__main__.py": program, "agent/web/console/page.py": ""}
    _zipped(made / "wheels" / f"labkeeper-{version}-py3-none-any.whl", ours)
    (made / "requirements.txt").write_text(f"labkeeper=={version}\n")
    form = {
        "version": version,
        "tables": tables,
        "pythons": [python],
        "machine": platform.machine(),
    }
    (made / "release.json").write_text(json.dumps(form))
    seal(made)
    return made


def seal(made: Path) -> None:
    """Write the sums of what is there."""
    files = sorted(it for it in made.rglob("*") if it.is_file() and "SHA256SUMS" not in it.name)
    lines = [
        f"{hashlib.sha256(it.read_bytes()).hexdigest()}  {it.relative_to(made)}\n" for it in files
    ]
    (made / "SHA256SUMS").write_text("".join(lines))


def _zipped(path: Path, files: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
