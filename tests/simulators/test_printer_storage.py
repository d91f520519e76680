from __future__ import annotations

import pytest

from simulators.printer_storage import NoSuchFile, PrinterStorage, StorageFull


def test_the_storage_refuses_what_does_not_fit_and_keeps_what_was_there() -> None:
    storage = PrinterStorage(capacity=100)
    storage.store("a.gcode", b"x" * 60, 0.0)
    with pytest.raises(StorageFull, match="40 are free"):
        storage.store("b.gcode", b"y" * 41, 0.0)
    storage.store("a.gcode", b"z" * 90, 0.0)  # in place of the 60
    assert storage.free == 10
    storage.full = True
    with pytest.raises(StorageFull):
        storage.store("c.gcode", b"1", 0.0)
    with pytest.raises(NoSuchFile):
        storage.find("b.gcode")


@pytest.mark.parametrize("path", ["", "/", "..", "a/../b", "./a"])
def test_the_storage_keeps_inside_its_folder(path: str) -> None:
    with pytest.raises(ValueError, match="no path inside"):
        PrinterStorage().store(path, b"", 0.0)


@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_a_damaged_upload_differs_once(damage: str) -> None:
    storage = PrinterStorage()
    storage.damage = "flip" if damage == "flip" else "cut"
    assert storage.spoil(b"G28\nG1 X1\n") != b"G28\nG1 X1\n"
    assert storage.spoil(b"G28\nG1 X1\n") == b"G28\nG1 X1\n"
