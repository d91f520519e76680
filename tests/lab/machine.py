"""A machine of its own whose systemd runs: a container of systemd-nspawn with this one's /usr.

It has its own users, /etc, /opt, /var, processes and network; nothing of it outlives the test. What
a container can't have here is the kernel's filter for devices and addresses (BPF).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

BOOT_S = 30.0
WITHIN_S = 120.0
PASSWD = """\
root:x:0:0:root:/root:/bin/sh
messagebus:x:104:104::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUPS = "root:x:0:\ntty:x:5:\ndialout:x:20:\nmessagebus:x:104:\nnogroup:x:65534:\n"


class NoMachine(Exception):
    """None can be started here; the reason is in the message."""


@dataclass
class Machine:
    """A machine that runs. Its first process has the number `leader` here."""

    folder: Path
    leader: int

    def run(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program on it as root, to its end."""
        enter = ("nsenter", "--target", str(self.leader), "--all", "--")
        environment = {
            "PATH": "/usr/local/bin:/usr/sbin:/usr/bin",
            "LANG": "C.UTF-8",
            "HOME": "/root",
        }
        return subprocess.run(
            [*enter, *command],
            input=given,
            env=environment,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )

    def does(self, *command: str, given: str = "") -> str:
        """Run a program that must end well, and return what it said."""
        ended = self.run(*command, given=given)
        assert ended.returncode == 0, f"{command}: {ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def serves(self, name: str, *command: str, into: str = "") -> None:
        """Start a program that goes on, as a unit of its own."""
        output = (f"--property=StandardOutput=file:{into}",) if into else ()
        self.does("systemd-run", "--quiet", f"--unit={name}", *output, *command)

    def until(self, *command: str, says: str, seconds: float = 30.0) -> str:
        """Run a program again and again until it says something."""
        end = time.monotonic() + seconds
        while True:
            ended = self.run(*command)
            if says in ended.stdout:
                return ended.stdout
            assert time.monotonic() < end, f"{command}: {ended.stdout}\n{ended.stderr}"
            Event().wait(0.2)

    def write(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file of it."""
        file = self.folder / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)

    def read(self, path: str) -> bytes:
        """Read a file of it, also one in memory such as below /run."""
        return Path(f"/proc/{self.leader}/root{path}").read_bytes()


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Run a machine until the context ends. Raises NoMachine."""
    if os.geteuid() != 0 or shutil.which("systemd-nspawn") is None:
        raise NoMachine("systemd-nspawn as root is needed (Debian: systemd-container)")
    _lay_out(folder)
    command = (
        *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
        *("--private-network", f"--directory={folder}", f"--machine=lab{os.getpid()}"),
        *("--bind-ro=/usr", "--tmpfs=/usr/local/bin", "--console=pipe"),
    )
    with (folder.parent / "console").open("wb") as console:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console
        )
    try:
        leader = _booted(process, folder.parent / "console")
        yield Machine(folder, leader)
    finally:
        _end(process)


def _lay_out(folder: Path) -> None:
    for name in ("usr", "etc", "proc", "sys", "dev", "run", "tmp", "var", "root", "opt", "media"):
        (folder / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (folder / name).symlink_to(f"usr/{name}")
    shutil.copytree("/etc/alternatives", folder / "etc/alternatives", symlinks=True)
    files = {"os-release": "ID=debian\n", "machine-id": "", "passwd": PASSWD, "group": GROUPS}
    files["hosts"] = "127.0.0.1 localhost\n"
    for name, text in files.items():
        (folder / "etc" / name).write_text(text)


def _booted(process: subprocess.Popen[bytes], console: Path) -> int:
    """The number of its first process, once it has started everything."""
    end = time.monotonic() + BOOT_S
    said = ""
    while time.monotonic() < end and process.poll() is None:
        if leader := _child(process.pid):
            found = Machine(Path("/"), leader).run("systemctl", "is-system-running", "--wait")
            said = found.stdout + found.stderr
            if found.stdout.strip() in {"running", "degraded"}:
                return leader
    tail = console.read_text(errors="replace")[-300:]
    raise NoMachine(f"no container can be started here: {said} {tail}")


def _child(pid: int) -> int:
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else 0
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):  # the first asks it to power off
        if process.poll() is None:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
