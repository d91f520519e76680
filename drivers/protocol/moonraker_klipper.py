"""Klipper as it is seen through Moonraker's WebSocket: its state, its objects, and what it is asked to do.

Sources: Moonraker, External API, "Server Administration" (Identify Connection), "Printer
Administration", "File Management" (Get GCode Metadata) and "Job History" (Get job list).

One subscription tells every printer object once, and then what changes. But Klipper is behind
Moonraker, and may be gone or hang while Moonraker answers. So each look asks Klipper itself, on the
same socket: when it answers, all that it told before has been taken in, and it is known to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from drivers.errors import BadReply, DeviceError, LinkClosed, LinkTimeout, Unfinished
from drivers.protocol.host_api import Look
from drivers.protocol.moonraker_files import estimate
from drivers.protocol.moonraker_look import STATES, About, look_at
from drivers.protocol.moonraker_objects import FIELDS, HEATERS, Job, Mirror, fields_of, text
from drivers.protocol.moonraker_socket import (
    NOT_CONNECTED,
    NOT_FOUND,
    NOTHING,
    Conversation,
    Refused,
    short,
)
from drivers.protocol.printing import PrintState
from drivers.transport.link import WebSocket

SCRIPT_S: Final = 240.0
"""How long G-code may take: it is answered when it is done, and first waits for what is being done."""
TRIES: Final = 3
"""Looks in a row in which Klipper may be found to have been started anew."""

WHO: Final = {
    "client_name": "labkeeper",
    "version": "1",
    "type": "other",
    "url": "https://labkeeper.invalid",  # one is demanded; this is a name that nobody can own
}
ASKED: Final = {
    "webhooks": ["state", "state_message"],
    "print_stats": FIELDS["print_stats"],
}
"""What is asked for at each look. The print is in it, so that it is never older than its history."""

GONE: Final = (
    "Moonraker has no connection to Klipper: wait if it is being restarted, else start its service"
)
NOT_READY: Final[Mapping[str, str]] = {
    "startup": "Klipper is starting: wait until it is ready",
    "error": "Klipper could not start ({message}): mend its printer.cfg, then send FIRMWARE_RESTART",
    "shutdown": "Klipper has shut down ({message}): see to the printer, then send FIRMWARE_RESTART",
}
"""What is said of the states in which Klipper takes no commands ("Klippy State")."""


class KlipperShutDown(DeviceError):
    """Klipper was stopped, or has stopped itself; it takes nothing until it is reset."""


class Klipper:
    """What one WebSocket tells of Klipper, and what Klipper is asked over it.

    Args:
        socket: An open WebSocket of Moonraker's.
        patience: Seconds that a reply may take which waits for no G-code.
        has_history: Whether this Moonraker keeps one; without it a print has no id.
    """

    def __init__(self, socket: WebSocket, patience: float, *, has_history: bool) -> None:
        self.version = ""
        self.has_history = has_history
        self._orders = 0  # that Klipper is carrying out for us
        self._done = 0  # orders of ours that have ended, well or not
        self._seen = 0  # how many of them had ended when everything was asked for
        self._wanted: dict[str, list[str]] = {}
        self._patience = patience
        self._mirror = Mirror()
        self._talk = Conversation(socket, self._mirror.notified)
        self._reckoned = ("", "")  # job and file that the estimate is of
        self._estimate: float | None = None

    @property
    def job(self) -> Job | None:
        """The newest job of the history, as far as it is known."""
        return self._mirror.job

    async def introduce(self) -> None:
        """Say who we are, and ask for the version, where Klipper is there. Raises DriverError."""
        await self.ask("server.connection.identify", WHO)
        try:
            await self._ask_version()
        except DeviceError:
            self.version = ""  # each look says what is wrong, and asks again

    async def look(self) -> Look:
        """Look once. Raises DeviceError where Klipper takes no commands, BadReply, LinkError."""
        for _ in range(TRIES):
            await self._must_be_ready()
            if self._mirror.objects is None:
                await self._subscribe()
            await self._reckon()
            if (objects := self._mirror.objects) is not None:
                firmware = f"Klipper {self.version}" if self.version else None
                about = About(firmware=firmware, estimate=self._estimate)
                return look_at(objects, self._mirror.job, about)
        raise DeviceError("Klipper is started anew again and again: see to it")

    @property
    def rests(self) -> bool | None:
        """Whether nothing was printed, moved or waited for heat, as far as was told; None: unknown."""
        objects = self._mirror.objects
        if objects is None:
            return None
        state = text(objects.get("print_stats", NOTHING), "state")
        moves = text(objects.get("idle_timeout", NOTHING), "state") == "Printing"
        return STATES.get(state) is PrintState.IDLE and not moves and not self._orders

    async def act(self, method: str, params: Mapping[str, Any] = NOTHING) -> None:
        """Ask for what is answered when it is done. Raises Unfinished where that takes too long."""
        self._orders += 1
        try:
            await self.ask(method, params, within=SCRIPT_S)
        except LinkTimeout as error:
            raise Unfinished(f"Klipper is still at it after {SCRIPT_S:g} s: {method}") from error
        finally:
            self._orders -= 1
            self._done += 1

    async def ask_jobs(self) -> None:
        """Ask for the newest job of the history. Raises DriverError."""
        newest = {"limit": 1, "order": "desc"}
        await self.ask("server.history.list", newest, take=self._mirror.take_jobs)

    async def ask(
        self,
        method: str,
        params: Mapping[str, Any] = NOTHING,
        *,
        within: float = 0.0,
        take: Callable[[Any], None] = lambda _: None,
    ) -> Any:
        """See Conversation.ask. Raises DeviceError too where Moonraker has lost Klipper."""
        try:
            return await self._talk.ask(method, params, within=within or self._patience, take=take)
        except (BadReply, LinkClosed):
            self._mirror.forget()  # a change may be lost
            raise
        except Refused as error:
            # Klipper's methods are unknown until it has been there for the first time.
            never = error.code == NOT_FOUND and method.startswith("printer.")
            if error.code != NOT_CONNECTED and not never:
                raise
            self._mirror.forget()
            raise DeviceError(GONE) from error

    async def _must_be_ready(self) -> None:
        """Ask Klipper for its state. Raises DeviceError where it takes no commands, and says why.

        Changes are told four times a second. What we have had done is to be seen at once, so that
        everything is asked for after it.
        """
        done = self._done
        objects = ASKED if done == self._seen else {**self._wanted, **ASKED}
        told = await self.ask("printer.objects.query", {"objects": objects}, take=self._mirror.take)
        self._seen = max(done, self._seen)
        webhooks = fields_of(fields_of(told["status"], "status").get("webhooks"), "webhooks")
        state, message = text(webhooks, "state"), short(text(webhooks, "state_message"))
        if state == "ready":
            return
        self._mirror.forget()
        if state == "shutdown":
            raise KlipperShutDown(NOT_READY[state].format(message=message))
        if state not in NOT_READY:
            raise DeviceError(f"Klipper is {short(state)!r}, a state that is not known ({message})")
        raise DeviceError(NOT_READY[state].format(message=message))

    async def _subscribe(self) -> None:
        await self._ask_version()
        heaters = {name: ["temperature", "target"] for name in await self._heaters()}
        if self.has_history:
            await self.ask_jobs()
        self._wanted = {**FIELDS, **heaters}
        subscribe = "printer.objects.subscribe"
        await self.ask(subscribe, {"objects": self._wanted}, take=self._mirror.take_all)

    async def _heaters(self) -> list[str]:
        """The names of all heaters, so that none is forgotten when they have to be off."""
        wanted = {"objects": {"heaters": ["available_heaters"]}}
        told = fields_of(await self.ask("printer.objects.query", wanted), "the reply")
        heaters = fields_of(told.get("status"), "status").get("heaters", NOTHING)
        names = fields_of(heaters, "heaters").get("available_heaters") or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadReply(f"these are no names of heaters: {short(repr(names))}")
        return sorted({*HEATERS, *names})

    async def _ask_version(self) -> None:
        info = fields_of(await self.ask("printer.info"), "printer.info")
        self.version = short(text(info, "software_version"))

    async def _reckon(self) -> None:
        """Ask, once for each print, how long the slicer thinks that it takes."""
        stats = (self._mirror.objects or {}).get("print_stats", NOTHING)
        print_ = (self.job.id if self.job else "", text(stats, "filename"))
        if not print_[1] or print_ == self._reckoned:
            return
        try:
            metadata = await self.ask("server.files.metadata", {"filename": print_[1]})
        except Refused:
            metadata = NOTHING  # the file could not be read, or is gone
        self._reckoned, self._estimate = print_, estimate(metadata)
