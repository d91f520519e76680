"""A VISA library that misbehaves when it is told to: pyvisa-py's, with a will of its own.

`?library=/path/to/mood@sleepy`. The file `mood` holds the method and what it does there, such as
`read hang`; an empty one makes a good library. `mood.did` is there once it was done.
"""

import ctypes
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pyvisa_py.highlevel import PyVisaLibrary  # type: ignore[import-untyped]  # it has no types

JUNK: Final = b"not a frame, but a notice of the library\n" * 5000  # more than a pipe holds


def _hang() -> None:
    while True:  # as a vendor's library called through ctypes does: others may run
        ctypes.CDLL(None).pause()


def _hold() -> None:
    while True:  # as an extension module does that keeps the interpreter to itself
        ctypes.PyDLL(None).pause()


def _crash() -> None:
    os.write(2, b"assertion `lock->owner` failed\n")
    os._exit(3)


def _fault() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _chat() -> None:
    os.write(1, JUNK)
    os.write(2, JUNK)


def _breed() -> None:
    """Start a program that outlives this one and holds what it has inherited."""
    if os.fork() == 0:
        _hang()


DEEDS: Final[Mapping[str, Callable[[], None]]] = {
    "hang": _hang,
    "hold": _hold,
    "crash": _crash,
    "fault": _fault,
    "chat": _chat,
    "breed": _breed,
}


class SleepyLibrary(PyVisaLibrary):  # type: ignore[misc]  # the same
    def _behave(self, method: str) -> None:
        told, _, deed = Path(self.library_path).read_text("utf-8").partition(" ")
        if told == method:
            Path(f"{self.library_path}.did").touch()
            DEEDS[deed.strip()]()

    def open(self, *arguments: Any, **options: Any) -> Any:
        self._behave("open")
        return super().open(*arguments, **options)

    def read(self, *arguments: Any, **options: Any) -> Any:
        self._behave("read")
        return super().read(*arguments, **options)

    def write(self, *arguments: Any, **options: Any) -> Any:
        self._behave("write")
        return super().write(*arguments, **options)

    def close(self, *arguments: Any, **options: Any) -> Any:
        self._behave("close")
        return super().close(*arguments, **options)


WRAPPER_CLASS = SleepyLibrary
