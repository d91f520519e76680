"""Serial adapters as sysfs and udev show them, in a folder that is laid out as they lay theirs."""

from __future__ import annotations

from pathlib import Path

from agent.install.adapters import Adapter, adapters

USB = "sys/devices/pci0/usb1/1-2"


def plugged(root: Path, name: str, driver: str, *, serial: str = "", latency: str = "") -> None:
    """One adapter: its port below the USB device, and the links that udev makes."""
    port = root / USB / f"1-2:{name}" / name
    port.mkdir(parents=True)
    device = root / USB / "serial"
    (root / USB / "idVendor").write_text("0403\n")
    if serial:
        device.write_text(f"{serial}\n")
    if latency:
        (port / "latency_timer").write_text(f"{latency}\n")
    (root / "sys/bus/drivers" / driver).mkdir(parents=True, exist_ok=True)
    (port / "driver").symlink_to(root / "sys/bus/drivers" / driver)
    tty = root / "sys/class/tty" / name
    tty.mkdir(parents=True)
    (tty / "device").symlink_to(port)
    for kind, link in (("by-id", f"usb-{serial or 'FTDI'}"), ("by-path", f"pci-{name}")):
        (root / "dev/serial" / kind).mkdir(parents=True, exist_ok=True)
        (root / "dev/serial" / kind / link).symlink_to(f"../../{name}")


def test_an_adapter_is_shown_with_the_names_that_last_and_with_what_delays_it(
    tmp_path: Path,
) -> None:
    plugged(tmp_path, "ttyUSB0", "ftdi_sio", serial="FT4XYZ", latency="16")
    (tmp_path / "sys/class/tty/tty0").mkdir()
    [found] = adapters(tmp_path)
    assert found == Adapter(
        name="ttyUSB0",
        driver="ftdi_sio",
        serial_number="FT4XYZ",
        latency_ms=16,
        names=("/dev/serial/by-id/usb-FT4XYZ", "/dev/serial/by-path/pci-ttyUSB0"),
    )
    assert found.is_slow


def test_an_adapter_that_says_little_is_shown_all_the_same(tmp_path: Path) -> None:
    plugged(tmp_path, "ttyACM0", "cdc_acm")
    [found] = adapters(tmp_path)
    assert (found.serial_number, found.latency_ms, found.is_slow) == ("", None, False)


def test_a_machine_without_ports_has_none(tmp_path: Path) -> None:
    assert adapters(tmp_path) == ()
