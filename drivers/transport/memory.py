"""Links without hardware: a scripted dialogue, and a simulator in this process."""

from collections.abc import Callable

from drivers.errors import LinkClosed
from drivers.transport.stream import StreamLink


class Loopback(StreamLink):
    """Talk to `handle(bytes) -> bytes`, such as a simulator's, without a socket."""

    def __init__(self, handle: Callable[[bytes], bytes], banner: bytes = b"") -> None:
        super().__init__("memory://")
        self._handle = handle
        self._banner = banner
        self._is_open = False

    async def send(self, data: bytes) -> None:
        """Hand `data` over, and receive what is answered."""
        self.send_now(data)

    def send_now(self, data: bytes) -> None:
        """Hand `data` over, and receive what is answered."""
        if not self._is_open:
            raise LinkClosed("memory://: the link is closed")
        self.recorder.sent(data)
        self.inbox.feed(self._handle(data))

    async def _open(self) -> None:
        self._is_open = True
        self.inbox.feed(self._banner)

    async def _close(self) -> None:
        self._is_open = False


class Script(Loopback):
    """Expect these bytes in this order, and answer with those: a dialogue from a manual."""

    def __init__(self, *dialogue: tuple[bytes, bytes]) -> None:
        self._left = list(dialogue)
        super().__init__(self._answer)

    def _answer(self, data: bytes) -> bytes:
        if not self._left:
            raise AssertionError(f"sent {data!r} after the end of the script")
        expected, reply = self._left.pop(0)
        if data != expected:
            raise AssertionError(f"sent {data!r} where the script expects {expected!r}")
        return reply

    def assert_finished(self) -> None:
        """Raise AssertionError when a part of the script was never asked for."""
        if self._left:
            raise AssertionError(f"never sent: {self._left}")
