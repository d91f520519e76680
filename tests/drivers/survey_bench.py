"""What the tests of the survey share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from drivers.survey import Scan, Survey


def examined(text: str | bytes, cuts: Sequence[int] = ()) -> Survey:
    """The survey of a file that is fed in pieces, cut at these offsets."""
    data = text.encode() if isinstance(text, str) else text
    scan = Scan()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for begin, end in pairwise(edges):
        if scan.is_hopeless:
            break
        scan.feed(data[begin:end])
    return scan.finish()


def program(*lines: str) -> Survey:
    """The survey of these lines."""
    return examined("".join(f"{line}\n" for line in lines))


def troubles(text: str | bytes) -> list[tuple[int, str]]:
    """Lines and sentences of what is wrong with a file."""
    return [(trouble.line, trouble.text) for trouble in examined(text).trouble]


def reach(survey: Survey, *, printed: bool = False) -> dict[str, tuple[float, float]]:
    """Lowest and highest coordinates by axis."""
    extents = survey.printed if printed else survey.box
    return {axis: (extent.low, extent.high) for axis, extent in extents.items()}
