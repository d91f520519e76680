"""An exchange that runs to its end in the task that asked for it, even if that is cancelled.

asyncio cancels a task by cancelling what it waits for. Shielding the exchange in a task of its
own costs that task and three turns of the loop, more than all the rest of an exchange. Here the
caller's task runs the exchange itself, step by step:

* What the exchange waits for is a `Wait` that is held, or is followed by one: it takes no
  cancellation. The task remembers it, throws it in when the wait is over, and it is kept until
  the exchange has ended.
* Meanwhile the exchange stands in as the current task, as eager tasks do from Python 3.12 on. A
  cancellation from within, as by `asyncio.timeout` around one wait, is thus the exchange's own:
  it acts at once, and on the exchange alone.

Source: Python Library Reference, "Extending asyncio", for third-party tasks.
"""

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Wait(asyncio.Future[None]):
    """A future that is only ever ended. Held by an exchange, it can't be cancelled from outside."""

    held = False

    def cancel(self, msg: Any = None) -> bool:
        """See asyncio.Future; a held one says that it is not cancelled, as one already done does."""
        return not self.held and super().cancel(msg)

    def end(self, _: object = None) -> None:
        """Let whoever waits go on, if he still waits."""
        if not self.done():
            self.set_result(None)


class Exchange(Generic[T]):
    """Await it once: the result of `talk`, or what it raised, or the caller's cancellation.

    A caller that was cancelled learns so when the exchange is over, whatever came of that.
    """

    # Of the class, until one is set: there is an exchange for every poll, and few need these.
    _waits_on: asyncio.Future[Any] | None = None
    _is_to_be_cancelled = _is_done = False
    _cancellations = 0

    def __init__(self, talk: Coroutine[Any, Any, T]) -> None:
        self._talk = talk

    def __await__(self) -> Generator[Any, None, T]:
        loop = asyncio.get_running_loop()
        caller: Any = asyncio.current_task(loop)
        cancelled: asyncio.CancelledError | None = None
        has_waited = False
        result: T
        try:
            while True:
                try:
                    wait = self._step(loop, caller)
                except StopIteration as end:
                    result = end.value
                    break
                has_waited = True
                try:
                    yield self._held(wait)
                except asyncio.CancelledError as error:  # once, or again by an impatient shutdown
                    cancelled = error
            if not has_waited:
                yield  # others have their turn even if this link never waits
        except Exception:
            if cancelled is None:
                raise
        finally:
            self._is_done = True
            self._talk.close()  # when the loop ends first
        if cancelled is not None:
            raise cancelled
        return result

    def _step(self, loop: asyncio.AbstractEventLoop, caller: Any) -> Any:
        """Run to the next wait, as the current task. Raises StopIteration at the end."""
        itself: Any = self
        _leave_task(loop, caller)
        _enter_task(loop, itself)
        try:
            if self._is_to_be_cancelled:
                self._is_to_be_cancelled = False
                return self._talk.throw(asyncio.CancelledError())
            return self._talk.send(None)
        finally:
            self._waits_on = None
            _leave_task(loop, itself)
            _enter_task(loop, caller)

    def _held(self, wait: Any) -> Any:
        """Return what the caller's task waits for, so that no cancellation from outside ends it."""
        if isinstance(wait, Wait):
            if not wait.held:  # otherwise it is for the exchange within to end it
                wait.held = True
                self._waits_on = wait
            return wait
        if not asyncio.isfuture(wait):
            return wait
        self._waits_on = wait
        wait._asyncio_future_blocking = False  # noqa: SLF001 - we wait for it, as a task does
        follower = Wait(loop=wait.get_loop())
        follower.held = True
        wait.add_done_callback(follower.end)
        follower._asyncio_future_blocking = True  # noqa: SLF001 - as `await` would tell the task
        return follower

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the exchange from within, as `asyncio.timeout` does. See asyncio.Task."""
        self._cancellations += 1
        if isinstance(self._waits_on, Wait):
            self._waits_on.end()
        elif self._waits_on is not None and self._waits_on.cancel(msg):
            return True
        self._is_to_be_cancelled = True
        return True

    def cancelling(self) -> int:
        """How many cancellations are under way. See asyncio.Task."""
        return self._cancellations

    def uncancel(self) -> int:
        """Take one of them back, and return how many are left. See asyncio.Task."""
        self._cancellations -= self._cancellations > 0
        return self._cancellations

    def done(self) -> bool:
        """Whether it has ended. See asyncio.Task."""
        return self._is_done

    def get_name(self) -> str:
        """A name for logs and debuggers. See asyncio.Task."""
        return f"exchange {self._talk!r}"
