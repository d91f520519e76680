"""What the MQTT library writes of a connection: the one place where it tells why a line broke."""

from __future__ import annotations

import logging
from typing import Final

log: Final = logging.getLogger("labkeeper")


class LineLog:
    """Keeps the last error of a socket, which is told once and not at every attempt; the rest is logged."""

    def __init__(self) -> None:
        self.reason = ""
        """The last error in the operating system's or the TLS library's words; empty if there was none."""
        self.logger = logging.Logger("labkeeper.mqtt")  # noqa: LOG001 - one of each session
        self.logger.parent = log
        self.logger.addFilter(self._passes)

    def _passes(self, record: logging.LogRecord) -> bool:
        errors = [it for it in record.args or () if isinstance(it, OSError)]
        if errors:
            self.reason = str(errors[-1])
        return not errors
