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
from simulators.serial_line import BITS_PER_BYTE, Incoming

CHUNK: Final = 65536
Address = dict[str, str | tuple[str, int]]
"""Where a connector is: ``{"tcp": (host, port)}``, ``{"pty": path}`` or ``{"http": (host, port)}``."""


class PtyServer:
    """An instrument on a pseudo-terminal in raw mode, behind the symbolic link `path`.

    It sees when a program opens the terminal and when it closes it. `unplug` takes terminal and
    link away, `plug` brings another terminal under the same link. `baud` slows both directions to
    baud/10 bytes per second; None moves bytes as fast as the terminal takes them.

    With `baud`, what the line cannot carry yet waits in the terminal, whose own size Linux decides
    (22,000 bytes with 6.18; a UART or a USB adapter has some 4,000): then the program's write
    blocks. `held` adds to it, in bytes. `line` counts what arrived, and is None without `baud`.
    """

    def __init__(
        self,
        instrument: Instrument,
        path: Path,
        faults: Faults | None = None,
        *,
        baud: int | None = None,
        held: int = 0,
        tick: float = TICK_S,
        speed: float = 1.0,
    ) -> None:
        self.instrument = instrument
        self.faults = faults or Faults(random.Random(0))
        self.path = path
        self.line: Incoming | None = None
        rate = None if baud is None else baud / BITS_PER_BYTE
        if rate is not None:
            self.line = Incoming(rate, held, self._take, self._hear, self._watch_input)
        self.player = Player(
            instrument,
            self.faults,
            self._deliver,
            tick=tick,
            bytes_per_second=rate,
            pull=self._pull,
            speed=speed,
        )
        self._tick = tick
        self._master: int | None = None
        self._slave_name = ""
        self._watch: asyncio.TimerHandle | None = None
        self._unsent = bytearray()
        self._deaf = False
        self._was_closed = False
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
            self._stop_reading(self._master)

    def listen(self) -> None:
        """Read again, and first what has piled up."""
        self._deaf = False
        if self._master is not None and self._watch is None:
            self._start_reading(self._master)

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
        if _is_hung_up(self._master) and not _has_unread(self._master):
            self._watch = loop.call_later(self._tick, self._await_opening)
        else:
            self._was_closed = False
            self.player.connected()
            if not self._deaf:
                self._start_reading(self._master)

    def _start_reading(self, master: int) -> None:
        if self.line is None:
            asyncio.get_running_loop().add_reader(master, self._read, master)
        else:
            self.line.start()

    def _stop_reading(self, master: int) -> None:
        if self.line is not None:
            self.line.stop()
        asyncio.get_running_loop().remove_reader(master)

    # What the program has written

    def _read(self, master: int) -> None:
        if data := self._take(CHUNK):
            self.player.hear(data)

    def _hear(self, data: bytes, at: float) -> None:
        self.player.hear(data, at)

    def _take(self, most: int) -> bytes:
        """Read what is there; the end of the program is seen when it left nothing unread."""
        master = self._master
        if master is None:
            return b""
        try:
            return os.read(master, most)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:  # EIO: the last program has closed the terminal
                raise
            if self.line is not None:
                self.line.flush()
            self._forget_reader(master)
            self._wait_for_next()
            return b""

    def _pull(self, now: float) -> None:
        """Let all arrive that is due by `now`, up to which the player is about to let time pass."""
        if self.line is None or self._master is None or self._watch is not None or self._deaf:
            return
        self.line.pump(now)
        if self._master is not None and self._watch is None:
            self._see_who_is_there(self._master, self.line)

    def _see_who_is_there(self, master: int, line: Incoming) -> None:
        """Notice a program that closes the terminal while the line still carries what it wrote.

        A real port would not be closed before that has left; here the next program may already
        be there. Then the rest arrives at once, and the next one's connection begins.
        """
        if _is_hung_up(master):
            self._was_closed = True
        elif self._was_closed:
            line.flush()
            self._forget_reader(master)
            self._await_opening()

    def _watch_input(self, wanted: bool) -> None:
        loop = asyncio.get_running_loop()
        if self._master is not None and self.line is not None:
            if wanted:
                loop.add_reader(self._master, self.line.pump)
            else:
                loop.remove_reader(self._master)

    def _forget_reader(self, master: int) -> None:
        self._stop_reading(master)
        asyncio.get_running_loop().remove_writer(master)
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
    return _polled(master, select.POLLHUP)


def _has_unread(master: int) -> bool:
    """Whether a program left bytes, one that closed the terminal before anybody saw it open."""
    return _polled(master, select.POLLIN)


def _polled(master: int, event: int) -> bool:
    poll = select.poll()
    poll.register(master, event)
    return any(found & event for _, found in poll.poll(0))
