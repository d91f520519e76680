"""A part for the slicer of the tests: a round tower of three walls, with a zigzag inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import cos, dist, pi, sin, tau

FILAMENT_MM2 = pi * 1.75**2 / 4
SLOWER = 1.25  # what acceleration costs, in the slicer's opinion


@dataclass(frozen=True, kw_only=True)
class Tower:
    """What is to be printed, and how. Lengths in mm, speeds in mm/s, temperatures in °C."""

    layers: int = 8
    layer_height: float = 0.2
    radius: float = 20.0
    facets: int = 60  # of each of its three walls
    centre: tuple[float, float] = (100.0, 110.0)
    width: float = 0.45
    speed: float = 40.0
    travel: float = 150.0
    nozzle: int = 215
    bed: int = 60
    note: str = "브래킷 시험편"  # a comment that is not ASCII

    def height(self, layer: int) -> float:
        """Top of a layer, from 0."""
        return round((layer + 1) * self.layer_height, 4)


@dataclass(frozen=True)
class Path:
    """One line of filament: where it begins, and what it goes through."""

    kind: str
    begin: tuple[float, float]
    points: tuple[tuple[float, float], ...]

    def length(self) -> float:
        """In mm."""
        through = (self.begin, *self.points)
        return sum(dist(a, b) for a, b in pairwise(through))


def estimate(tower: Tower) -> int:
    """Seconds that the slicer says it takes."""
    return round(sum(seconds(tower, path) for paths in _all(tower) for path in paths))


def filament(tower: Tower) -> float:
    """Millimetres of filament."""
    return sum(path.length() * push(tower) for paths in _all(tower) for path in paths)


def push(tower: Tower) -> float:
    """Millimetres of filament for each millimetre of path."""
    return tower.width * tower.layer_height / FILAMENT_MM2


def seconds(tower: Tower, path: Path) -> float:
    """How long a path takes in the slicer's opinion."""
    return SLOWER * path.length() / tower.speed


def paths(tower: Tower, layer: int) -> Iterator[Path]:
    """Three walls and the infill of a layer."""
    for wall in range(3):
        radius = tower.radius - wall * tower.width
        ring = [_around(tower, radius, tau * i / tower.facets) for i in range(tower.facets + 1)]
        yield Path("External perimeter" if wall == 0 else "Perimeter", ring[0], tuple(ring[1:]))
    inner, points = tower.radius - 3 * tower.width, []
    for row in range(1, 12):
        y = inner * (row - 6) / 6.5
        x = (inner * inner - y * y) ** 0.5
        across = [(-x, y), (x, y)] if row % 2 else [(x, y), (-x, y)]
        points += [(b, a) if layer % 2 else (a, b) for a, b in across]
    placed = [(round(tower.centre[0] + x, 3), round(tower.centre[1] + y, 3)) for x, y in points]
    yield Path("Internal infill", placed[0], tuple(placed[1:]))


def _all(tower: Tower) -> Iterator[Iterator[Path]]:
    return (paths(tower, layer) for layer in range(tower.layers))


def _around(tower: Tower, radius: float, angle: float) -> tuple[float, float]:
    x, y = tower.centre
    return round(x + radius * cos(angle), 3), round(y + radius * sin(angle), 3)
