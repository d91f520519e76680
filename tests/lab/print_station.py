"""A station whose printers print: what its command line says, what it shows, and what the board got."""

from __future__ import annotations

import asyncio
import hashlib
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from simulators.control import RoomControl
from tests.lab.processes import LABKEEPER, Agent, Room

ENDS_WITHIN_S = 45.0
SHOWN_WITHIN_S = 20.0
TAKEN_OFF_WITHIN_S = 3.0
LOOK_S = 0.05
NOT_OF_THE_FILE = ("M105", "M110", "M114", "M118", "M400")
"""What the agent sends by itself: polls, the numbering, the fence, and the wait for the last move."""
HELLO = ("M113", "M115", "M154", "M155", "M27")
"""What it sends besides when it connects."""

Values = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """How a command of the command line ended, and what it said."""

    code: int
    out: str
    err: str


class Watched:
    """A print that is followed by a process of its own, and what that has told so far."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.complaints = ""

    async def ended(self) -> int:
        """The exit code; all that it has told is then there."""
        async with asyncio.timeout(ENDS_WITHIN_S):
            out, err = await self.process.communicate()
        self.lines, self.complaints = out.decode().splitlines(), err.decode()
        assert self.process.returncode is not None
        return self.process.returncode


@dataclass
class PrintStation:
    """The running agent and the room of simulators behind it. It belongs to no event loop."""

    lab: Room
    running: Agent

    async def says(self, *words: str) -> Said:
        """Type a command, and wait for its end."""
        process = await self._begun(*words)
        async with asyncio.timeout(ENDS_WITHIN_S):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, out.decode(), err.decode())

    @asynccontextmanager
    async def printing(self, *words: str) -> AsyncIterator[Watched]:
        """Type a command that prints, and follow it."""
        process = await self._begun("print", *words)
        try:
            yield Watched(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()  # also of one that has ended: its pipes may not be read out

    async def taken_off(self, device: str) -> None:
        """Take the last print off and say so; from a printer that goes on printing nobody can."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TAKEN_OFF_WITHIN_S):
                while (await self._says_clear(device)) == 409:
                    shown = (await self.ask("GET", f"/devices/{device}")).json()
                    if shown["activity"] == "print":
                        return
                    await asyncio.sleep(0.05)

    async def _says_clear(self, device: str) -> int:
        return (await self.ask("POST", f"/plates/{device}/clear", json={})).status_code

    async def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """A request to the API as a program makes it, and the answer as it is."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.running.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://labkeeper") as client:
            return await client.request(method, f"/api/v1{path}", timeout=10, **how)

    async def values(self, device: str) -> Values:
        """What a device shows, by name."""
        return shown((await self.running.devices())[device])

    async def until(
        self, device: str, holds: Callable[[Values], object], seconds: float = SHOWN_WITHIN_S
    ) -> Values:
        """Wait until a device that answers shows something, and return its values."""
        devices = await self.running.until(
            lambda all_: all_[device]["state"] in {"ready", "busy"} and _holds(holds, all_[device]),
            seconds,
        )
        return shown(devices[device])

    async def fresh(self, device: str, name: str) -> Any:
        """A value that is read now; what is known of a print needs no exchange with the printer."""
        answer = await self.running.get(f"/devices/{device}/readings/{name}?fresh=true")
        return answer.get("value")

    async def state(self, device: str, *states: str, seconds: float = SHOWN_WITHIN_S) -> list[str]:
        """Wait until a print is in one of these states, and return all that it went through."""
        found: list[str] = []
        async with asyncio.timeout(seconds):
            while not found or found[-1] not in states:
                state = await self.fresh(device, "print_state")
                found += [state] if state not in found[-1:] else []
                await asyncio.sleep(LOOK_S)
        return found

    async def _begun(self, *words: str) -> Process:
        if words[0] == "print":
            await self.taken_off(words[1])
        return await asyncio.create_subprocess_exec(
            *(*LABKEEPER, "--socket", str(self.running.socket), *words),
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )


def shown(device: dict[str, Any]) -> Values:
    """The values of a device that are to be believed, and None for the others."""
    return {
        name: sample["value"] if sample["quality"] == "simulated" else None
        for name, sample in device["values"].items()
    }


def _holds(holds: Callable[[Values], object], device: dict[str, Any]) -> bool:
    try:
        return bool(holds(shown(device)))
    except (KeyError, TypeError):  # it does not show that now
        return False


def orders(program: bytes, without: Collection[str] = NOT_OF_THE_FILE) -> tuple[int, str]:
    """How many commands are in a file, and their SHA-256, as the simulated board counts them."""
    stripped = [line.partition(";")[0].strip() for line in program.decode("utf-8-sig").splitlines()]
    kept = [line for line in stripped if line and line.split()[0] not in without]
    text = "".join(f"{line}\n" for line in kept)
    return len(kept), hashlib.sha256(text.encode()).hexdigest()


async def received(control: RoomControl, *more: str) -> tuple[int, str]:
    """How many commands the board has had since `forget`, and their SHA-256; without ours, and `more`."""
    without = [*NOT_OF_THE_FILE, *more]
    answer = await control.ask("printer1", do="play", verb="tally", without=without)
    return answer["result"]["lines"], answer["result"]["sha256"]


async def forget(control: RoomControl) -> None:
    """Let the board count anew."""
    await control.ask("printer1", do="play", verb="forget")


@asynccontextmanager
async def tricks(station: PrintStation) -> AsyncIterator[RoomControl]:
    """The door for tricks, for the loop of one test."""
    async with RoomControl(*station.lab.control._address) as control:
        yield control


def written(folder: Path, name: str, data: bytes) -> Path:
    """A file of this machine."""
    path = folder / name
    path.write_bytes(data)
    return path
