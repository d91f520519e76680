"""A store of files in a folder of the test, and pieces of files on their way into it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from agent.store.files import FileStore
from drivers import Survey

PART = b"G28\nG1 X10 Y10 F1200\nG1 X20\nM104 S0\n"


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    """The pieces of an upload."""
    for piece in given:
        yield piece


class Untouched:
    """Pieces of which nobody may take one."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("a piece was asked for")


class Slow:
    """An upload that waits to be told, between its first and its second half."""

    def __init__(self, first: bytes = b"G28\n", second: bytes = b"G1 X1\n") -> None:
        self.first, self.second = first, second
        self.is_under_way, self.go_on = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.first
        self.is_under_way.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        yield self.second


class Examiner:
    """Examines at once, in this process, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, name: str, size: int, source: Callable[[], BinaryIO]) -> bytes:
        self.asked.append(name)
        await self.may_go_on.wait()
        data = await asyncio.to_thread(_all_of, source)
        return survey_of(data).to_json().encode()


def survey_of(data: bytes) -> Survey:
    """The barest survey of a file."""
    return Survey(
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        lines=data.count(b"\n"),
    )


def left_in(folder: Path) -> dict[str, bytes]:
    """Everything in the folder, but for what is known of the files."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".surveys"}


async def stored(store: FileStore, name: str, data: bytes = PART) -> None:
    """Put a file into the store."""
    await store.add(name, pieces(data), len(data))


async def text_of(store: FileStore, name: str) -> bytes:
    """A file as whoever prints it reads it."""
    file = await store.named(name)
    return b"".join([piece async for piece in file.pieces()])


def _all_of(source: Callable[[], BinaryIO]) -> bytes:
    with source() as file:
        return file.read()
