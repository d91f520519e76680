"""The serial ports of this machine, as the kernel knows them: names that last, and what delays them.

Source: sysfs and udev's 60-serial.rules. Nothing is opened, so no device notices it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TTYS: Final = "sys/class/tty"
SERIAL: Final = "dev/serial"
WANTED_LATENCY_MS: Final = 1
"""What our udev rule sets; FTDI adapters come with 16."""


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """One serial port that is plugged in.

    Attributes:
        name: What the kernel calls it now, such as "ttyUSB0": another one after the next start.
        driver: The kernel's driver, such as "ftdi_sio".
        serial_number: What the adapter says; "" where it has none.
        latency_ms: How long it waits for more bytes, where its driver tells.
        names: Its names that last, by-id before by-path.
    """

    name: str
    driver: str
    serial_number: str
    latency_ms: int | None
    names: tuple[str, ...]

    @property
    def is_slow(self) -> bool:
        """Whether it delays each answer for no reason."""
        return self.latency_ms is not None and self.latency_ms > WANTED_LATENCY_MS


def adapters(root: Path = Path("/")) -> tuple[Adapter, ...]:
    """The ports of the machine whose file system begins here, by name."""
    folder = root / TTYS
    found = sorted(it.name for it in folder.iterdir()) if folder.is_dir() else []
    names = dict(_lasting_names(root))
    return tuple(
        Adapter(
            name=name,
            driver=_driver(folder / name),
            serial_number=_serial_number(folder / name),
            latency_ms=_latency(folder / name),
            names=names.get(name, ()),
        )
        for name in found
        if name.startswith(("ttyUSB", "ttyACM"))
    )


def _lasting_names(root: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    found: dict[str, list[str]] = {}
    for kind in ("by-id", "by-path"):
        folder = root / SERIAL / kind
        for link in sorted(folder.iterdir()) if folder.is_dir() else ():
            found.setdefault(link.readlink().name, []).append(f"/{SERIAL}/{kind}/{link.name}")
    yield from ((name, tuple(paths)) for name, paths in found.items())


def _driver(tty: Path) -> str:
    link = tty / "device" / "driver"
    return link.resolve().name if link.exists() else ""


def _latency(tty: Path) -> int | None:
    text = _text(tty / "device" / "latency_timer")
    return int(text) if text.isdigit() else None


def _serial_number(tty: Path) -> str:
    """That of the USB device, some folders above the port."""
    device = (tty / "device").resolve()
    for folder in (device, *device.parents[:4]):
        if (folder / "idVendor").exists():
            return _text(folder / "serial")
    return ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:  # it has no such thing, or was unplugged meanwhile
        return ""
