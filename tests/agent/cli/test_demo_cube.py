"""The demo's file to print: a program, and what its comments say of it."""

from __future__ import annotations

import re

import pytest

from agent.cli.demo.cube import LAYERS, cube
from drivers.survey import Scan


def test_the_cube_is_a_small_program_that_heats_homes_and_cools() -> None:
    lines = cube().splitlines()
    assert 400 <= len(lines) <= 600
    assert lines.index("G28") < next(n for n, line in enumerate(lines) if line.startswith("G1"))
    end = lines.index(";TYPE:Custom")
    assert lines[end + 1 : end + 4] == ["M104 S0", "M140 S0", "M107"]
    assert max(map(len, lines)) < 80


def test_the_cube_tells_time_layers_and_filament_as_its_moves_have_them() -> None:
    scan = Scan()
    scan.feed(cube().encode())
    with_slicer = scan.finish()
    scan = Scan()
    scan.feed("\n".join(line.partition(";")[0] for line in cube().splitlines()).encode())
    alone = scan.finish()
    assert not with_slicer.trouble
    assert with_slicer.slicer.layers == LAYERS
    assert (with_slicer.box, with_slicer.nozzle) == (alone.box, alone.nozzle)
    assert with_slicer.slicer.seconds == pytest.approx(alone.seconds, abs=1.5)
    pushed = re.findall(r" E([0-9.]+)", cube())
    assert with_slicer.slicer.filament_mm == pytest.approx(sum(map(float, pushed)), abs=0.05)
