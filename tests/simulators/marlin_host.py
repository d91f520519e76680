"""A host that talks to the simulated Marlin board, line by line."""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from simulators.marlin import BoardOptions, MarlinPrinter

_RESEND = re.compile(r"^(?:Resend|rs)\W*N?(\d+)", re.MULTILINE)
_OK = re.compile(r"^ok", re.MULTILINE)


def printer(**options: object) -> MarlinPrinter:
    """A board without time of its own, so that answers come at once, unless told otherwise."""
    exact = {"line_seconds": 0.0, "first_move_seconds": 0.0, "slow_down": False}
    board = MarlinPrinter(BoardOptions(**(exact | options)))  # type: ignore[arg-type]
    board.opened()
    return board


def numbered(number: int, command: str) -> bytes:
    body = f"N{number} {command}"
    return f"{body}*{reduce(xor, body.encode())}\n".encode()


def ask(board: MarlinPrinter, line: str) -> list[str]:
    return board.handle(f"{line}\n".encode()).decode().splitlines()


def wait(board: MarlinPrinter, seconds: float) -> list[str]:
    return board.advance(seconds).decode().splitlines()


class CarefulHost:
    """Sends one line at a time, goes back where the board asks, and repeats what is not answered."""

    def __init__(self, board: MarlinPrinter, *, patience: float = 5.0) -> None:
        self.board, self._patience = board, patience
        self.next, self.sent, self.timeouts = 1, 0, 0

    def send(self, commands: list[str]) -> None:
        """Send them all; AssertionError when it takes four times as many lines as there are."""
        while self.next <= len(commands):
            self.sent += 1
            assert self.sent < 4 * len(commands) + 20, f"stuck at line {self.next}"
            self._exchange(commands[self.next - 1])

    def _exchange(self, command: str) -> None:
        heard = self.board.handle(numbered(self.next, command)).decode()
        waited = 0.0
        while not (_OK.search(heard) or _RESEND.search(heard)):
            step = min(self.board.due_in(), 1.0) or 1e-4
            heard += self.board.advance(step).decode()
            waited = 0.0 if "busy" in heard else waited + step
            if waited > self._patience:
                self.timeouts += 1
                return
        # A line end that came into the middle of `Resend` is a line that was not answered.
        again = _RESEND.search(heard)
        self.next = int(again[1]) if again else self.next + 1
