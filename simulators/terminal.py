"""Puts an instrument on a pseudo-terminal with a stable name."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import select
import termios
import threading
import tty
from pathlib import Path
from typing import Final, Self

from simulators.faults import Disconnect, Faults
from simulators.instrument import Instrument
from simulators.player import TICK_S, Player

CHUNK: Final = 65536
Address = dict[str, str | tuple[str, int]]
"""Where a connector is: ``{"tcp": (host, port)}`` or ``{"pty": path}``."""

BITS_PER_BYTE: Final = 10
"""A start bit, eight data bits, a stop bit."""


class PtyServer:
    """An instrument on a pseudo-terminal in raw mode, behind the symbolic link `path`.

    It sees when a program opens the terminal and when it closes it. `unplug` takes terminal and
    link away, `plug` brings another terminal under the same link. `baud` slows the output to
    baud/10 bytes per second; None sends as fast as the terminal takes it.
    """

    def __init__(
        self,
        instrument: Instrument,
        path: Path,
        faults: Faults | None = None,
        *,
        baud: int | None = None,
        tick: float = TICK_S,
    ) -> None:
        self.instrument = instrument
        self.faults = faults or Faults(random.Random(0))
        self.path = path
        rate = None if baud is None else baud / BITS_PER_BYTE
        self.player = Player(
            instrument, self.faults, self._deliver, tick=tick, bytes_per_second=rate
        )
        self._tick = tick
        self._master: int | None = None
        self._slave_name = ""
        self._watch: asyncio.TimerHandle | None = None
        self._unsent = bytearray()
        self._deaf = False
        self._links: set[asyncio.Future[None]] = set()
        self._link_lock = threading.Lock()

    async def __aenter__(self) -> Self:
        self.player.start()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        self.player.stop()

    def address(self) -> Address:
        """Return ``{"pty": path}``, the stable name."""
        return {"pty": str(self.path)}

    async def start(self) -> None:
        """Bring a terminal under `path`; nothing happens if there is one."""
        if self._master is None:
            self._open_terminal()
        await self._linked()

    async def stop(self) -> None:
        """Take the link and the terminal away; a program that has it open sees it end."""
        await self._linked()
        # The name first: the terminal's number is soon another's, whom nobody must meet under it.
        await asyncio.to_thread(self.path.unlink, missing_ok=True)
        self._close_terminal()

    plug = start
    unplug = stop

    def disconnect(self) -> None:
        """Pull the plug and put it back at once: the same link, but another terminal."""
        self._close_terminal()
        self._open_terminal()

    def deafen(self) -> None:
        """Read no more: the terminal fills up."""
        self._deaf = True
        if self._master is not None:
            asyncio.get_running_loop().remove_reader(self._master)

    def listen(self) -> None:
        """Read again, and first what has piled up."""
        self._deaf = False
        if self._master is not None and self._watch is None:
            asyncio.get_running_loop().add_reader(self._master, self._read, self._master)

    def _open_terminal(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self._slave_name = os.ttyname(slave)
        os.close(slave)  # from now on POLLHUP on the master tells that nobody has it open
        os.set_blocking(self._master, False)
        # In a thread: a file system may block. A set: `disconnect` cannot wait for it.
        self._links.add(asyncio.get_running_loop().run_in_executor(None, self._link))
        self._await_opening()

    def _link(self) -> None:
        """Point `path` to the newest terminal, so that it is never missing in between."""
        with self._link_lock:
            new = self.path.with_name(f".{self.path.name}.new")
            new.unlink(missing_ok=True)
            new.symlink_to(self._slave_name)
            new.replace(self.path)

    async def _linked(self) -> None:
        links, self._links = self._links, set()
        await asyncio.gather(*links)

    def _close_terminal(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._master is not None:
            self._forget_reader(self._master)
            os.close(self._master)
            self._master = None

    def _await_opening(self) -> None:
        """Look every tick whether a program has opened the terminal; nothing else would tell."""
        self._watch = None
        if self._master is None:
            return  # unplugged
        loop = asyncio.get_running_loop()
        if _is_hung_up(self._master):
            self._watch = loop.call_later(self._tick, self._await_opening)
        else:
            if not self._deaf:
                loop.add_reader(self._master, self._read, self._master)
            self.player.connected()

    def _read(self, master: int) -> None:
        try:
            data = os.read(master, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:  # EIO: the last program has closed the terminal
                raise
            self._forget_reader(master)
            self._wait_for_next()
            return
        self.player.hear(data)

    def _forget_reader(self, master: int) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(master)
        loop.remove_writer(master)
        self._unsent.clear()
        self.player.disconnected()

    def _wait_for_next(self) -> None:
        """Empty the terminal for the next program, as a real port is empty when it is opened.

        Linux keeps what was not read, and a flush from the master's side does not reach it. A
        terminal that cannot be opened because its program left it exclusive (TIOCEXCL) is of no
        use to the next one either: another takes its place.
        """
        try:
            slave = os.open(self._slave_name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            self.disconnect()
            return
        termios.tcflush(slave, termios.TCIFLUSH)
        os.close(slave)
        self._await_opening()

    def _deliver(self, piece: bytes | Disconnect) -> None:
        if isinstance(piece, Disconnect):
            self.disconnect()
        elif self._master is not None:
            self._unsent += piece
            self._write(self._master)

    def _write(self, master: int) -> None:
        """Send what the terminal takes; the rest when there is room, as flow control would."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):  # it is full: the writer below waits for room
            del self._unsent[: os.write(master, self._unsent)]
        if self._unsent:
            loop.add_writer(master, self._write, master)
        else:
            loop.remove_writer(master)


def _is_hung_up(master: int) -> bool:
    poll = select.poll()
    poll.register(master, select.POLLHUP)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
