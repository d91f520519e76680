"""A real mosquitto on a free loopback port: started, ended, killed and started again by its pid."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.lab.processes import free_port

MOSQUITTO = "/usr/sbin/mosquitto"
START_S = 20.0
END_S = 10.0
# CONNECT of MQTT 3.1.1 with a clean session and no client id, and the CONNACK that accepts it.
HELLO = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"
WELCOME = b"\x20\x02\x00\x00"


class Broker:
    """One mosquitto, which keeps its port and its folder however often it is started."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, more: str = "") -> None:
        self.port = free_port()
        self._folder, self._more = folder, more
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "mosquitto.conf"
        config.write_text(self._config(), encoding="utf-8")
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                MOSQUITTO, "-c", str(config), stdout=log, stderr=log
            )
        async with asyncio.timeout(START_S):
            while not await self._answers():
                if self._process.returncode is not None:
                    raise AssertionError((self._folder / "mosquitto.log").read_text())
                await asyncio.sleep(0.01)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it in order, or by another signal, and wait for its end."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(number)
            async with asyncio.timeout(END_S):
                await process.wait()

    async def kill(self) -> None:
        """End it as a power cut does: nothing is saved, nobody is told."""
        await self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it from answering without closing its connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _config(self) -> str:
        return f"""\
listener {self.port} {self.host}
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location {self._folder}/
user {getpass.getuser()}
{self._more}
"""

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        try:
            writer.write(HELLO)
            return await reader.readexactly(len(WELCOME)) == WELCOME
        except (OSError, asyncio.IncompleteReadError):
            return False
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def running_broker(folder: Path, more: str = "") -> AsyncIterator[Broker]:
    """A broker that answers until the context ends; `more` is added to its configuration."""
    broker = Broker(folder, more)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
