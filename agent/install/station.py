"""A machine becomes a station, and stops being one. Twice is as good as once."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Final

from agent.install.idle import RunningAgent, check_idle
from agent.install.parts import (
    COMMAND,
    CONFIG,
    PARTS,
    PROGRAM,
    SECRETS,
    STATE,
    STATION,
    UNIT,
    first_config,
    part,
)
from agent.install.root import Root, replace_whole, translated
from agent.install.versions import CURRENT
from agent.languages.message import Message

WRITTEN: Final = f"{PROGRAM}/installed.json"
"""What was written here, with its SHA-256: what is different now was changed by a person."""
UDEV_RUNS: Final = Path("/run/udev/control")
STABLE_NAMES: Final = ("/usr/lib/udev/rules.d/60-serial.rules", "/lib/udev/rules.d/60-serial.rules")


def install(root: Root) -> None:
    """Write what is missing or old; what a person has changed stays, and the new lies beside it.

    Raises:
        NoPermission: It takes root.
        StepFailed: A step could not be done; running it again goes on from there.
    """
    root.check_rights()
    written = _written(root)
    for name, path in PARTS.items():
        _place(root, path, part(name), written)
    where = () if root.is_this_machine else (f"--root={root.folder}",)
    root.run("systemd-sysusers", *where, "labkeeper.conf")
    root.run("systemd-tmpfiles", *where, "--create", "labkeeper.conf")
    _begin_config(root)
    root.link(COMMAND, f"{CURRENT}/venv/bin/labkeeper")
    _tell_system(root)
    _say_next(root)


def uninstall(root: Root, agent: RunningAgent) -> None:
    """Take away what `install` and updates have made; keep config, secrets, records and the user.

    Raises:
        NoPermission: It takes root.
        Busy: A job runs.
        StepFailed: A step could not be done; running it again goes on from there.
    """
    root.check_rights()
    if root.is_live:
        check_idle(agent)
    if root.inside(PARTS[UNIT]).exists():
        _switch_off(root)
    written = _written(root)
    for path in (it for it in PARTS.values() if not it.startswith(CONFIG)):
        if root.inside(path).exists() and _is_changed(root, path, written):
            root.tell(Message("keep {path}: it was changed here", path=path))
        else:
            root.remove(path)
        root.remove(f"{path}.new")
    root.remove(COMMAND)
    if root.is_live:
        root.run("systemctl", "daemon-reload")
        if UDEV_RUNS.exists():
            root.run("udevadm", "control", "--reload", needed=False)
    root.remove(PROGRAM)  # last: this program may be a part of it
    for kept in (CONFIG, STATE):
        if root.inside(kept).exists():
            root.tell(Message("kept: {path}; delete it when nobody needs it", path=kept))
    root.tell(Message("kept: the user and the group labkeeper, whose files they are"))


def _place(root: Root, path: str, content: bytes, written: dict[str, str]) -> None:
    """Write a file of ours, unless it is as it should be or a person has changed it."""
    where = root.inside(path)
    if where.is_file() and where.read_bytes() == content:
        root.tell(Message("leave {path}: it is as it should be", path=path))
    elif where.exists() and _is_changed(root, path, written):
        text = Message("keep {path}: it was changed here; compare it with {path}.new", path=path)
        root.tell(text)
        root.write(f"{path}.new", content)
        return
    else:
        root.write(path, content)
    root.remove(f"{path}.new")
    written[path] = _hash(content)
    if not root.dry:
        with translated(WRITTEN):
            note = json.dumps(written, indent=1, sort_keys=True)
            replace_whole(root.inside(WRITTEN), f"{note}\n".encode(), 0o644)


def _begin_config(root: Root) -> None:
    """A config to start from. One that is there is never touched."""
    if root.inside(STATION).exists():
        root.tell(Message("leave {path}: a station's config is never overwritten", path=STATION))
        return
    root.write(STATION, first_config() if root.is_this_machine else first_config("station"), 0o640)
    if root.dry:
        return
    with translated(STATION):
        folder = root.inside(CONFIG).stat()  # which the agent's group may read
        shutil.chown(root.inside(STATION), folder.st_uid, folder.st_gid)


def _tell_system(root: Root) -> None:
    """Systemd and udev learn of it: now where they run, else at the next start of the machine."""
    if not any(root.inside(path).exists() for path in STABLE_NAMES):
        root.tell(
            Message(
                "udev is not installed here: without it serial ports have no names that last "
                "(/dev/serial/by-id, /dev/serial/by-path)"
            )
        )
    if not root.is_live:
        root.run("systemctl", f"--root={root.folder}", "enable", UNIT, needed=False)
        return
    root.run("systemctl", "daemon-reload")
    root.run("systemctl", "enable", UNIT)
    if UDEV_RUNS.exists():
        root.run("udevadm", "control", "--reload", needed=False)
        for kind in ("tty", "usb", "usbmisc"):  # what is plugged in already
            root.run("udevadm", "trigger", f"--subsystem-match={kind}", needed=False)


def _switch_off(root: Root) -> None:
    if root.is_live:
        root.run("systemctl", "disable", "--now", UNIT)
    else:
        root.run("systemctl", f"--root={root.folder}", "disable", UNIT, needed=False)


def _say_next(root: Root) -> None:
    if not root.inside(CURRENT).exists():
        root.tell(
            Message(
                "there is no program in {path} yet: run the install.sh of a bundle that "
                "scripts/release has made",
                path=PROGRAM,
            )
        )
    root.tell(_next(root))


def _next(root: Root) -> Message:
    if not root.is_this_machine:
        return Message(
            "next: describe the devices in {station} and put secrets into {secrets}; the service "
            "starts with the machine that this folder holds",
            station=root.inside(STATION),
            secrets=root.inside(SECRETS),
        )
    return Message(
        "next: describe the devices in {station}, put secrets into {secrets}, "
        "try `labkeeper check --config {station}`, then `systemctl restart labkeeper`",
        station=STATION,
        secrets=SECRETS,
    )


def _written(root: Root) -> dict[str, str]:
    try:
        found = json.loads(root.inside(WRITTEN).read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # the first time; or everything counts as changed, and is kept
    return found if isinstance(found, dict) else {}


def _is_changed(root: Root, path: str, written: dict[str, str]) -> bool:
    return _hash(root.inside(path).read_bytes()) != written.get(path)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
