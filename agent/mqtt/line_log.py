"""What the MQTT library writes of a connection: the one place where it tells why a line broke."""

from __future__ import annotations

import logging
import ssl
from typing import Final

log: Final = logging.getLogger("labkeeper")


class LineLog:
    """Keeps what the TLS library said last. Errors of sockets are told as events, the rest is logged."""

    def __init__(self) -> None:
        self.reason = ""
        """The last error in the TLS library's words; empty if there was none."""
        self.logger = logging.Logger("labkeeper.mqtt")  # noqa: LOG001 - one of each session
        self.logger.parent = log
        self.logger.addFilter(self._passes)

    def _passes(self, record: logging.LogRecord) -> bool:
        errors = [it for it in record.args or () if isinstance(it, OSError)]
        for error in errors:
            if isinstance(error, ssl.SSLError):  # of others the library raises what they mean
                self.reason = str(error)
        return not errors
