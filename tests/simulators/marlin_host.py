"""A host that talks to the simulated Marlin board, line by line."""

from __future__ import annotations

from functools import reduce
from operator import xor

from simulators.marlin import BoardOptions, MarlinPrinter


def printer(**options: object) -> MarlinPrinter:
    board = MarlinPrinter(BoardOptions(**options))  # type: ignore[arg-type]
    board.opened()
    return board


def numbered(number: int, command: str) -> bytes:
    body = f"N{number} {command}"
    return f"{body}*{reduce(xor, body.encode())}\n".encode()


def ask(board: MarlinPrinter, line: str) -> list[str]:
    return board.handle(f"{line}\n".encode()).decode().splitlines()


def wait(board: MarlinPrinter, seconds: float) -> list[str]:
    return board.advance(seconds).decode().splitlines()
