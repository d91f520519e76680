"""`labkeeper make-safe`: brings devices into their safe state when no agent is there to do it.

It runs as `ExecStopPost=` of the agent's unit, so after every end, also by kill -9 or the watchdog.
It reads one file that the agent has left, and opens the same drivers over new links: it needs no
config, no database, no broker and no agent. All devices are reached at once, in bounded time.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.clock import Clock
from agent.errors import AgentError, AlreadyRunning
from agent.languages.message import Message
from agent.safety.spelled import shown
from agent.store.folder import owned
from agent.store.safe_state import (
    Made,
    MadeSafe,
    SafeDevice,
    SafeState,
    Seen,
    read_state,
    write_made_safe,
)
from agent.store.store_errors import NotRead
from drivers import Driver, urgent, word
from drivers.catalogue import load
from drivers.errors import AccessRefused, DeviceError, DriverError, RequestError, WrongInstrument
from drivers.transport.lines import Lines

WITHIN_S: Final = 2.5
"""For all devices. From a stalled loop to the last safe byte, the watchdog's 2 s and the start come first."""
GENTLY_S: Final = 1.0
"""How long a device may take to become safe before it is interrupted."""
AGAIN_S: Final = 0.1
NOT_AGAIN: Final = (WrongInstrument, AccessRefused, RequestError)
"""What does not get better within seconds."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was found and done.

    Attributes:
        devices: How it ended with each device that was to be made safe, by name.
        left: The devices that stay as they are, as their config says.
        unsafe: Those that may be energised now: not confirmed, and not known to have been away.
        is_cut: Whether the time was over before each had ended: an exchange can't be cut.
        unnoted: Why the next agent will not hear of it; "" when it will.
    """

    state: SafeState
    devices: Mapping[str, Made]
    left: tuple[str, ...]
    unsafe: tuple[str, ...]
    is_cut: bool = False
    unnoted: str = ""


async def make_safe(
    folder: Path, clock: Clock, tell: Callable[[Result], None], *, within: float = WITHIN_S
) -> None:
    """Make safe what the agent of this state folder has left, and leave a note for the next one.

    `tell` is told when the time is over at the latest. What can't be cut may go on after that: it
    may end the process.

    Raises:
        NotRead: There is no safe-state file, or it can't be read.
        Damaged: It can't be believed; nothing was sent.
        AlreadyRunning: An agent runs: `labkeeper stop` asks that one.
    """
    _left(folder)  # before a folder is made that was not there
    with _alone(folder):
        state = _left(folder)
        wanted = [it for it in state.devices.values() if it.act]
        lines, doubts = Lines(), dict[str, str]()
        async with asyncio.TaskGroup() as tasks:
            running = {
                it.name: tasks.create_task(_one(it, lines, doubts), name=f"{it.name}.make_safe")
                for it in wanted
            }
            if running:
                await asyncio.wait(running.values(), timeout=within)
            made = {
                name: task.result() if task.done() else _late(doubts.get(name, ""), within)
                for name, task in running.items()
            }
            is_cut = any(not task.done() for task in running.values())
            note = MadeSafe(at=clock.utc(), acted_on=state.written, devices=made)
            unnoted = _note(folder, note) if wanted else ""
            tell(_result(state, made, is_cut=is_cut, unnoted=unnoted))
            for task in running.values():
                task.cancel()


def _left(folder: Path) -> SafeState:
    try:
        return read_state(folder)
    except NotRead as error:
        text = Message("{error}; nothing was sent, to no device: go and look at each", error=error)
        raise type(error)(text) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(owned(folder))
        except AlreadyRunning as error:
            text = Message(
                "{error}; while it runs, `labkeeper stop` is the way to make devices safe",
                error=error,
            )
            raise AlreadyRunning(text) from None
        yield


def _result(state: SafeState, made: Mapping[str, Made], *, is_cut: bool, unnoted: str) -> Result:
    return Result(
        state=state,
        devices=made,
        left=tuple(name for name, it in state.devices.items() if not it.act and not state.ended),
        unsafe=tuple(
            name
            for name, it in made.items()
            if not it.confirmed and state.devices[name].seen is not Seen.AWAY
        ),
        is_cut=is_cut,
        unnoted=unnoted,
    )


def _note(folder: Path, made: MadeSafe) -> str:
    try:
        write_made_safe(folder, made)
    except AgentError as error:
        return str(error)
    return ""


def _late(doubt: str, within: float) -> Made:
    return Made(
        confirmed=False,
        text=doubt or Message("it did not answer within {seconds:g} s", seconds=within),
    )


async def _one(device: SafeDevice, lines: Lines, doubts: dict[str, str]) -> Made:
    """Try until it is confirmed: making safe is harmless twice. Another instrument is told nothing."""
    while True:
        try:
            return Made(confirmed=True, text=await _reached(device, lines))
        except NOT_AGAIN as error:
            return Made(confirmed=False, text=str(error))
        except Exception as error:  # noqa: BLE001 - a driver's own bug must not keep others unsafe
            doubts[device.name] = _why(error)
        await asyncio.sleep(AGAIN_S)


async def _reached(device: SafeDevice, lines: Lines) -> str:
    driver_class = load(device.driver)
    async with lines.link(device.address, device.access) as link:
        driver = driver_class.over(link, timeouts=device.timeouts, registers=device.registers)
        with urgent():
            await driver.meet(device.serial_number)
            try:
                async with asyncio.timeout(GENTLY_S):
                    await driver.make_safe()
            except TimeoutError:
                await driver.interrupt()
                await driver.make_safe()
            return await _read_back(driver)


async def _read_back(driver: Driver[Any]) -> str:
    """What its hazardous outputs read now. Raises DeviceError where one is energised still."""
    words: list[str] = []
    still: list[str] = []
    found = await driver.read(driver.hazards)
    for name, quiet in driver.hazards.items():
        value = word(found[name])
        if isinstance(value, DeviceError):  # it has no such value now
            words.append(Message("{name} can't be read back", name=name))
        elif isinstance(value, DriverError):
            raise value
        else:
            words.append(shown(name, value))
            still += [] if value in quiet else [shown(name, value)]
    if still:
        raise DeviceError(
            Message("after it was made safe it reads {still}", still=", ".join(still))
        )
    return ", ".join(words)


def _why(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, DriverError | TimeoutError):
        return str(error) or Message("it did not answer in time")
    return Message("an error of the driver, {error}", error=error)
