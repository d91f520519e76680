"""Which program holds a serial port, as far as Linux tells: a sentence about a port that is taken.

It reads /proc, which may take long where many programs run: never in the event loop. Of programs
of other users only root sees which files they have open.

Source: proc(5), /proc/locks and /proc/PID/fd; the locks are those of flock(2), which pyserial,
minicom, picocom and this agent take.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
MOST: Final = 3
"""Programs that are named; more are not read by anybody."""


def holders(port: str) -> str:
    """The programs that hold a port, as "minicom (process 4711)"; "" when that can't be known.

    Who has locked it holds it; where nobody has, everybody who has it open may.
    """
    try:
        there = Path(port).stat()
    except OSError:
        return ""  # it has gone meanwhile: there is nothing to hold
    found = [*_lockers(there)] or [*_openers(there)]
    named = [f"{_program(pid)} (process {pid})" for pid in found if pid != os.getpid()]
    return ", ".join(named[:MOST])


def _lockers(there: os.stat_result) -> Iterator[int]:
    place = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
    with suppress(OSError):  # a kernel without it tells nothing
        for line in (PROC / "locks").read_text("ascii").splitlines():
            words = line.split()  # "1: FLOCK ADVISORY WRITE 4711 00:17:5 0 EOF"
            if words[1] == "FLOCK" and words[5] == place:
                yield int(words[4])


def _openers(there: os.stat_result) -> Iterator[int]:
    for process in PROC.iterdir():
        if process.name.isdecimal():
            with suppress(OSError):  # it is another user's, or has ended just now
                if any(_is_same(file, there) for file in (process / "fd").iterdir()):
                    yield int(process.name)


def _is_same(file: Path, there: os.stat_result) -> bool:
    with suppress(OSError):  # it was closed just now
        found = file.stat()
        return (found.st_dev, found.st_ino) == (there.st_dev, there.st_ino)
    return False


def _program(pid: int) -> str:
    with suppress(OSError):  # it has ended just now
        return (PROC / str(pid) / "comm").read_text("utf-8", "replace").strip()
    return "a program that has ended"
