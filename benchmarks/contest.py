"""Programs that a benchmark runs beside each other, and asks by lines."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

ROOT: Final = Path(__file__).parents[1]
END_WITHIN_S: Final = 5.0


class Program:
    """A process that says a line when it is asked one. Raises RuntimeError when it has ended."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def said(self) -> str:
        """Its next line."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended without an answer")
        return line.strip()

    def asked(self, what: object) -> dict[str, Any]:
        """What it answers to a line."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{what}\n")
            self._process.stdin.flush()
        return cast(dict[str, Any], json.loads(self.said()))


@contextmanager
def program(interpreter: str, module: str, *arguments: object) -> Iterator[Program]:
    """Run a module of ours until the context ends. Its errors go to this process's own."""
    command: Sequence[str] = [interpreter, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield Program(process)
        finally:
            process.terminate()
