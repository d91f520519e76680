"""Telling systemd how it goes: READY=1, WATCHDOG=1, STOPPING=1. Nothing at all elsewhere.

The protocol is sd_notify(3): datagrams to the socket that $NOTIFY_SOCKET names, `@` for an
abstract one. $WATCHDOG_USEC gives the longest silence that systemd allows, in microseconds.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

from agent.clock import Clock

CHECKS_PER_SILENCE: Final = 3

log = logging.getLogger("labkeeper")


class Notifier:
    """One end of sd_notify; it takes the environment it was started in."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._silence_s = int(environment.get("WATCHDOG_USEC", "0")) / 1e6

    def ready(self) -> None:
        """Say that the first round of connects is over and every listener is up."""
        self._send("READY=1")

    def stopping(self) -> None:
        """Say that the agent is ending by itself."""
        self._send("STOPPING=1")

    async def watchdog(self, clock: Clock) -> None:
        """Tell the watchdog, each time after a round trip through the loop: a stuck loop says nothing."""
        if not (self._address and self._silence_s):
            return
        while True:
            turned = asyncio.Event()
            asyncio.get_running_loop().call_soon(turned.set)
            await turned.wait()
            self._send("WATCHDOG=1")
            await clock.sleep(self._silence_s / CHECKS_PER_SILENCE)

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)  # a manager that does not read must not stop the loop
            try:
                line.sendto(message.encode(), self._address)
            except OSError as error:
                log.warning("systemd did not take %s: %s", message, error)
