"""Supplies that outlive the agent, and count every command that reaches them."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Self

from simulators.siglent_spd1000x import SiglentSpd1000x

Effect = tuple[str, float]
"""What was set, such as psu1.voltage, and to what."""


class CountedSupply:
    """A simulated supply on a TCP port of its own, with a book of what it was told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: Counter[Effect] = Counter()
        """How often each voltage was set, and how often the output was switched on."""
        self._instrument = SiglentSpd1000x()
        self._server: asyncio.Server | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._connected = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def address(self) -> str:
        """Where it is."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return f"tcp://{host}:{port}"

    async def until_idle(self) -> None:
        """Wait until all that a killed agent has sent was taken in, and nobody is connected."""
        async with asyncio.timeout(5):
            await self._idle.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connected += 1
        self._idle.clear()
        self._instrument.opened()
        try:
            while line := await reader.readline():
                self._note(line.decode("ascii", "replace"))
                self._instrument.advance(0.05)
                writer.write(self._instrument.handle(line))
        except OSError:
            pass  # the agent was killed with an answer on its way
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._connected -= 1
            if not self._connected:
                self._idle.set()

    def _note(self, line: str) -> None:
        """Enter what a line changes. A line that was cut off is no command to a supply."""
        if not line.endswith("\n"):
            return
        for part in line.strip().split(";"):
            match part.lstrip(":").split(" ", 1):
                case ["CH1:VOLT" | "VOLT", volts]:
                    self.told[f"{self.name}.voltage", round(float(volts), 3)] += 1
                case ["OUTP", "CH1,ON"]:
                    self.told[f"{self.name}.output", 1.0] += 1
                case _:
                    pass  # a question, or an output that is switched off: a stop may do so unasked
