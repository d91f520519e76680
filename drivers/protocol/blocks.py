"""Which registers are asked for together: blocks, the runs that cover them, and how a run is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from drivers.protocol.codec import Codec
from drivers.transport.link import Bank
from drivers.transport.modbus import MOST_READ
from drivers.wire import Ref

T = TypeVar("T")


class Block(NamedTuple):
    """Neighbouring registers or bits, fetched by one request."""

    bank: Bank
    start: int
    size: int

    @property
    def stop(self) -> int:
        """The address behind the last."""
        return self.start + self.size

    def has(self, other: tuple[Bank, int, int]) -> bool:
        """Whether the whole of the other lies in this one."""
        bank, start, size = other
        return bank == self.bank and self.start <= start and start + size <= self.stop


@dataclass(frozen=True, eq=False)
class RegisterRef(Ref[T]):
    """A value in a block of registers; its encode and decode are those of the codec.

    `write_to` is where it is written, when it is not where it is read.
    """

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    codec: Codec[T]
    block: Block
    write_to: tuple[Bank, int] | None = None


@dataclass(frozen=True)
class Run:
    """One request, and the refs, by their place in the question, that it answers."""

    block: Block
    members: tuple[tuple[int, RegisterRef[Any]], ...]

    @cached_property
    def cuts(self) -> list[tuple[int, Callable[[Any], Any], slice]]:
        """Of each member its place, its decode, and where in the reply its registers are."""
        starts = [(index, ref, ref.block.start - self.block.start) for index, ref in self.members]
        return [(i, ref.decode, slice(at, at + ref.block.size)) for i, ref, at in starts]

    @property
    def blocks(self) -> list[Block]:
        """What was asked for, each block once, in the order of the registers."""
        return sorted({ref.block for _, ref in self.members})


def runs(
    blocks: Iterable[Block], gap: int = 0, most: Mapping[Bank, int] = MappingProxyType(MOST_READ)
) -> list[Block]:
    """Cover the blocks with few requests: each block whole in one of them, none above `most`.

    Blocks that touch, overlap or lie at most `gap` apart are merged while there is room.
    """
    merged: list[Block] = []
    for block in sorted(set(blocks)):
        if merged:
            last = merged[-1]
            stop = max(last.stop, block.stop)
            near = last.bank == block.bank and block.start - last.stop <= gap
            if near and stop - last.start <= most[block.bank]:
                merged[-1] = Block(last.bank, last.start, stop - last.start)
                continue
        merged.append(block)
    return merged


def halves(run: Run) -> tuple[Run, Run]:
    """Cut a run of several blocks in two: at its widest gap, or else near its middle.

    What nobody asked for is the likeliest to be missing, so that the gaps go first. Of n blocks
    with one missing register, cutting again and again finds it in about 2 log n requests.
    """
    blocks = run.blocks
    ends = [max(block.stop for block in blocks[:cut]) for cut in range(1, len(blocks))]
    _, _, cut = max(
        (max(0, blocks[cut].start - end), -abs(2 * cut - len(blocks)), cut)
        for cut, end in enumerate(ends, 1)
    )
    return _covering(run, blocks[:cut]), _covering(run, blocks[cut:])


def parts(run: Run, refused: Iterable[tuple[Bank, int, int]]) -> list[Run]:
    """Cut a run until no part of several blocks holds a block that the device has refused."""
    inside = [block for block in refused if run.block.has(block)]
    if not inside or len(run.blocks) == 1:
        return [run]
    return [part for half in halves(run) for part in parts(half, inside)]


def _covering(run: Run, blocks: list[Block]) -> Run:
    bank, start, _ = blocks[0]
    stop = max(block.stop for block in blocks)
    members = tuple((index, ref) for index, ref in run.members if ref.block in blocks)
    return Run(Block(bank, start, stop - start), members)
