"""A ledger verified in a process of its own, with the lowest priority: nobody else feels it.

As a program it takes the database, the file with its head and heads that were kept elsewhere, and
prints the verdict as one line of JSON.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

from agent.languages.message import Message
from agent.store.chain import Head
from agent.store.store_errors import NotRead

PROGRAM: Final = ("-P", "-m", "agent.store.verify_alone")
LOWEST: Final = 19
"""The niceness of a process that gets what nobody else wants. Source: setpriority(2)."""
WITHIN_S: Final = 600.0
"""A ledger of ten million rows takes a minute on a workstation that has nothing else to do."""
MOST_WORDS: Final = 300


async def verified(
    database: Path,
    beside: Path,
    heads: tuple[Head, ...] = (),
    *,
    program: tuple[str, ...] = PROGRAM,
    within: float = WITHIN_S,
) -> dict[str, Any]:
    """What `ledger_verify.verify` says, as JSON. Whoever gives up waiting ends the process.

    Raises:
        NotRead: It can't be read, or was not read within so many seconds.
    """
    process = _Process([*program, str(database), str(beside), *map(str, heads)], within)
    try:
        return await asyncio.to_thread(process.run)
    except asyncio.CancelledError:
        process.kill()
        raise


class _Process:
    """One process. It is run in a thread, and killed from another."""

    def __init__(self, arguments: list[str], within: float) -> None:
        self._arguments, self._within = arguments, within
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = False

    def run(self) -> dict[str, Any]:
        """Run it to its end, and return its verdict. Raises NotRead."""
        process = self._start()
        try:
            said, complaint = process.communicate(timeout=self._within)
        except subprocess.TimeoutExpired:
            self.kill()
            process.communicate()
            raise NotRead(
                Message(
                    "the ledger was not read through within {within:g} s: verify it on the command "
                    "line, where it may take its time",
                    within=self._within,
                )
            ) from None
        if process.returncode:
            words = complaint.decode(errors="replace").strip().rpartition("\n")[2][:MOST_WORDS]
            raise NotRead(
                words
                or Message(
                    "its verification ended with code {returncode}", returncode=process.returncode
                )
            )
        found: dict[str, Any] = json.loads(said)
        return found

    def kill(self) -> None:
        """End it, whatever it does, and if it has not begun, keep it from beginning."""
        with self._turn:
            self._is_over = True
            if self._process is not None:
                self._process.kill()  # does nothing to one that has ended

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._turn:
            if self._is_over:
                raise NotRead(Message("the ledger was not read: nobody waits for it any more"))
            path = os.pathsep.join(folder for folder in sys.path if folder)
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
                start_new_session=True,  # Ctrl-C is for us
            )
            os.setpriority(os.PRIO_PROCESS, self._process.pid, LOWEST)
            return self._process


def main(arguments: list[str]) -> int:
    """Verify, and print the verdict; 3 where the ledger can't be read."""
    # Here, because it prepares for processes of its own, of which the agent needs none.
    from agent.store.ledger_verify import verify

    database, beside, *heads = arguments
    try:
        found = verify(
            Path(database), [Head.parse(it) for it in heads], beside=Path(beside), most_parts=1
        )
    except NotRead as error:
        sys.stderr.write(f"{error}\n")
        return NotRead.exit_code
    sys.stdout.write(f"{json.dumps(found.form())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
