"""The event loop of the agent: its timers fire on time to a fraction of a millisecond.

epoll_wait counts whole milliseconds, and asyncio rounds up to the next one. That is 0.5 ms lost
with every timer on average, which a bus at 115,200 baud feels (its silence between two frames
is 1.75 ms) and which is most of the lateness of a poll. Here epoll waits for the whole
milliseconds, so that whatever arrives meanwhile costs what it always did, and select(2), which
counts microseconds, waits for the rest: an epoll descriptor can itself be waited for.
An idle processor takes some 50 µs to wake up. The selector learns how many, and aims so much
earlier; when it wakes up before its time it spins for what is left.

It also looks at the descriptors less often: not between finding that bytes have come and letting
who waits for them go on. While much is ready, it looks at every second turn of the loop.
"""

import asyncio
import select
import selectors
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import get_native_id
from time import monotonic
from typing import Final

from agent.errors import CannotStart
from agent.languages.message import Message

MILLISECOND: Final = 1e-3
WORTH_EPOLL_S: Final = 2e-3
"""A shorter wait is left to select(2) alone: being woken twice costs more than asking twice."""
TIMER_SLACK_NS: Final = 1000
"""What the kernel may add to a wait; its own default is 50 µs. Source: proc(5), timerslack_ns."""
MOST_LATENESS_S: Final = 100e-6
"""By how much at most a wait is begun to end early, because waking up takes time as well."""
STEP_S: Final = 2e-6
MOST_THREADS: Final = 64
"""For what blocks. Python's own number is 6 on two processors: the parts of a start alone would hold
as many while its disk hangs, and who stops devices waits for the API, which is imported in one."""
FD_SETSIZE: Final = 1024
"""select(2) knows no descriptor from this number on. Source: select(2), BUGS."""


class PreciseSelector(selectors.EpollSelector):
    """Waits no shorter than it was told, and longer by no more than the kernel needs.

    Raises CannotStart when its own descriptor is too high for select(2).
    """

    def __init__(self) -> None:
        super().__init__()
        self._itself = [self.fileno()]
        self._has_just_found = False
        self._lateness = 0.0
        if self.fileno() >= FD_SETSIZE:
            self.close()
            raise CannotStart(
                Message(
                    "{fd_setsize} files or more are open: start it with fewer",
                    fd_setsize=FD_SETSIZE,
                )
            )

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready, within `timeout` seconds; None waits for ever."""
        if self._has_just_found and timeout is not None and timeout <= 0:
            # What was found wakes those who wait for it. They run before anybody looks again.
            self._has_just_found = False
            return []
        if timeout and timeout > 0:
            self._has_just_found = True  # bytes, or that a timer is due
            return self._wait(timeout)
        ready = super().select(timeout)
        self._has_just_found = bool(ready)
        return ready

    def _wait(self, timeout: float) -> list[tuple[selectors.SelectorKey, int]]:
        deadline = monotonic() + timeout
        if timeout >= WORTH_EPOLL_S:
            # The selector rounds up: from half a millisecond less to `whole`, exactly.
            whole = int((timeout - self._lateness) / MILLISECOND)
            if ready := super().select((whole - 0.5) * MILLISECOND):
                return ready
        self._wait_for_rest(deadline)
        return super().select(0)

    def _wait_for_rest(self, deadline: float) -> None:
        aim = deadline - self._lateness
        if (rest := aim - monotonic()) > 0:
            if select.select(self._itself, (), (), rest)[0]:
                return
            self._learn(monotonic() - aim)
        while monotonic() < deadline:
            pass  # some microseconds, never more than MOST_LATENESS_S

    def _learn(self, late: float) -> None:
        """Follow the median of how late the kernel wakes this process."""
        step = STEP_S if late > self._lateness else -STEP_S
        self._lateness = min(max(0.0, self._lateness + step), MOST_LATENESS_S)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make the agent's loop in the thread that runs it: `asyncio.Runner(loop_factory=…)`."""
    ask_for_punctual_timers()
    loop = asyncio.SelectorEventLoop(PreciseSelector())
    loop.set_default_executor(ThreadPoolExecutor(MOST_THREADS, "labkeeper"))
    return loop


def ask_for_punctual_timers() -> None:
    """Tell the kernel not to wait until it can fire several timers of this thread at once."""
    slack = Path(f"/proc/{get_native_id()}/timerslack_ns")
    with suppress(OSError):  # without /proc they fire up to 50 µs later, and that is all
        slack.write_text(str(TIMER_SLACK_NS), "ascii")
