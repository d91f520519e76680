"""A recording, played again: the driver asks as it did then, and hears what came then, in virtual time.

What the driver sends is looked for in the recording from where the last sending was found. What
came after it comes again, as late as it came then. What was never sent then is not answered: a
driver may learn to say more, and must bear silence.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from drivers import Driver, word
from drivers.catalogue import load
from drivers.errors import DriverError, LinkClosed
from drivers.protocol.gcode import GCode
from drivers.transport.address import Address
from drivers.transport.link import Link, RegisterLink
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.recorder import Entry
from drivers.transport.recording import Recording, recording_from
from drivers.transport.stream import Inbox, StreamLink

FOLDER: Final = Path(__file__).with_name("recordings")
LOST: Final = b"lost: "
RTU_ECHO, TCP_HEADER = b"\x08\x00\x00", 7
FENCE: Final = re.compile(rb"M118 fence-(\w+)")


def loaded(path: Path) -> Recording:
    """The recording in this file. Raises BadReply."""
    return recording_from(json.loads(path.read_text("utf-8")))


class Player(StreamLink):
    """A link that answers from a recording: each opening is the next connection of then.

    `unanswered` has what was not sent then.
    """

    def __init__(self, sessions: Sequence[Sequence[Entry]], *, reconnects: bool) -> None:
        super().__init__("replay://")
        self.clears = reconnects
        self._sessions = iter(sessions)
        self._session: Sequence[Entry] = ()
        self._next = 0
        self.unanswered: list[bytes] = []

    async def send(self, data: bytes) -> None:
        self.send_now(data)

    def send_now(self, data: bytes) -> None:
        if self.inbox._error is not None:
            raise LinkClosed("the link was lost here")
        found = self._find(data)
        if found is None:
            self.unanswered.append(data)
            return
        self._next = found + 1
        asked = self._session[found][0]
        for time, kind, what, _ in self._after(found):
            self._play(time - asked, kind, what)

    async def resync(self, quiet: float) -> None:
        if self.clears:
            self.inbox = Inbox(self.recorder)  # what is still under way dies with its connection
        else:
            await super().resync(quiet)

    def nonces(self) -> Iterator[int]:
        """The numbers of the fences that were still to be sent when asked for."""
        while True:
            frames = [data for _, kind, data, _ in self._session[self._next :] if kind == "sent"]
            fences = [data for data in frames if data[1:4] == RTU_ECHO]
            yield int.from_bytes(fences[0][4:6]) if fences else 0xFFFF

    def words(self) -> Iterator[str]:
        """The words of G-code's fences that were still to be sent when asked for."""
        while True:
            lines = [data for _, kind, data, _ in self._session[self._next :] if kind == "sent"]
            found = FENCE.search(b"".join(lines))
            yield found[1].decode() if found else "0"

    def _find(self, data: bytes) -> int | None:
        for index in range(self._next, len(self._session)):
            _, kind, what, size = self._session[index]
            if kind == "sent" and what == data[: len(what)] and size == len(data):
                return index
        return None

    def _after(self, index: int) -> Iterator[Entry]:
        """What came between this sending and the next one."""
        for entry in self._session[index + 1 :]:
            if entry[1] == "sent":
                return
            yield entry

    def _play(self, delay: float, kind: str, what: bytes) -> None:
        loop = asyncio.get_running_loop()
        if kind == "received":
            loop.call_later(delay, self.inbox.feed, what)
        elif kind == "noted" and what.startswith(LOST):
            loop.call_later(delay, self.inbox.fail, LinkClosed(what.decode()))

    async def _open(self) -> None:
        self._session, self._next = next(self._sessions, ()), 0
        began = self._session[0][0] if self._session else 0.0
        for time, kind, what, _ in self._after(-1):  # a banner, before anything was sent
            self._play(time - began, kind, what)

    async def _close(self) -> None:
        self._session = ()


class Nonces(random.Random):
    """Dice that fall as they fell then."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self._fallen = player.nonces()

    def randrange(self, *_: Any) -> int:
        return next(self._fallen)


class Replay:
    """What came of a recording: `seen` has what was believed, in order.

    That is every value by its reading, and what a command gave back, by its name.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.driver_class: type[Driver[Any]] = load(recording.driver)
        self.asked = 0
        self.seen: list[tuple[str, Any]] = []
        self.errors: list[DriverError] = []

    async def run(self) -> None:
        """Play every connection of the recording, one after the other."""
        sessions = list(_sessions(self.recording.entries))
        link = self._link(sessions)
        for session in sessions:
            await self._play(link, session)

    def wrong(self) -> list[tuple[str, Any]]:
        """The values that the device can't have had, by what the recording says of it."""
        expected = self.recording.expected or {}
        return [
            (name, value)
            for name, value in self.seen
            if name in expected and not any(_same(value, it) for it in expected[name])
        ]

    async def _play(self, link: Link | RegisterLink, session: Sequence[Entry]) -> None:
        loop = asyncio.get_running_loop()
        offset = loop.time() - session[0][0]
        async with link:
            driver = self.driver_class.over(link, timeouts=self.recording.timeouts)
            if isinstance(driver.wire, GCode) and isinstance(link, Player):
                driver.wire.lines._nonce = link.words().__next__
            async with asyncio.TaskGroup() as tasks:
                for time, what in self._requests(session):
                    await asyncio.sleep(time + offset - loop.time())
                    tasks.create_task(self._ask(driver, what), name=what)

    def _requests(self, session: Sequence[Entry]) -> Iterator[tuple[float, str]]:
        for time, kind, data, _ in session:
            device, _, what = data.decode(errors="replace").partition(" ")
            if kind == "asked" and device == self.recording.device:
                yield time, what

    def _link(self, sessions: Sequence[Sequence[Entry]]) -> Link | RegisterLink:
        scheme = self.recording.scheme
        player = Player(sessions, reconnects=scheme in {"tcp", "visa"} or scheme.endswith("+tcp"))
        if not scheme.startswith("modbus+"):
            return player
        options = Address.parse(self.recording.address).options
        unit, baudrate = int(options.get("unit", "1")), int(options.get("baudrate", "115200"))
        if scheme == "modbus+tcp":
            return _in_step(TcpBus(player), sessions[0]).unit(unit)
        return RtuBus(player, baudrate=baudrate, dice=Nonces(player)).unit(unit)

    async def _ask(self, driver: Driver[Any], what: str) -> None:
        self.asked += 1
        verb, _, rest = what.partition(" ")
        try:
            match verb:
                case "read":
                    self._see(await driver.read(rest.split()))
                case "meet":
                    await driver.meet()
                case "set":
                    name, _, value = rest.partition(" ")
                    given = driver.check_setting(driver.limits, name, json.loads(value))
                    await getattr(driver, name).write(given)
                case "do":
                    await self._do(driver, *rest.split(" ", 1))
                case "stop":
                    await driver.interrupt()
                    await driver.make_safe()
                case _:
                    raise AssertionError(f"nobody knows how to {what}")
        except DriverError as error:
            self.errors.append(error)

    async def _do(self, driver: Driver[Any], name: str, arguments: str = "{}") -> None:
        given = driver.check_arguments(driver.limits, name, json.loads(arguments))
        self.seen.append((name, await driver.commands[name].method(driver, **given)))

    def _see(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if isinstance(value, DriverError):
                self.errors.append(value)
            elif not (isinstance(value, float) and not math.isfinite(value)):
                self.seen.append((name, word(value)))


def _sessions(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries of each connection; the first may have begun before the recording."""
    begins = [i for i, entry in enumerate(entries) if entry[1] == "opened"]
    bounds = sorted({0, *begins, len(entries)})
    for first, last in pairwise(bounds):
        yield entries[first:last]


def _in_step(bus: TcpBus, session: Sequence[Entry]) -> TcpBus:
    """Let the numbers of requests go on from where they were then."""
    first = next((data for _, kind, data, _ in session if kind == "sent"), b"\0\1")
    bus._last = int.from_bytes(first[:2]) - 1
    return bus


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, float) and isinstance(other, int | float):
        return math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(value == other)
