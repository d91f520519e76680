"""The log: one line per change. JSON where systemd collects it, plain text on a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

OWN_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
QUIET: Final = ("pymodbus", "mqtt", "pyvisa", "uvicorn.access", "httpx", "httpcore", "websockets")
"""Libraries that tell each frame or each retry; their errors reach us as exceptions."""
ERRORS_ONLY: Final = "asyncio"
"""What nobody awaited or caught is told here and nowhere else; its warnings repeat."""

Format = Literal["auto", "json", "console"]


class JsonLine(logging.Formatter):
    """One JSON object a line: time (UTC), level, text, and what the record was given besides."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
        } | {k: v for k, v in vars(record).items() if k not in OWN_FIELDS and v != ""}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(format_: Format, level: str, stream: TextIO = sys.stderr) -> None:
    """Send every logger's lines to `stream`; "auto" is plain on a terminal and JSON elsewhere."""
    plain = format_ == "console" or (format_ == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
        if plain
        else JsonLine()
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger(ERRORS_ONLY).setLevel(logging.ERROR)
