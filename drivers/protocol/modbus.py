"""Modbus: values by register address, and the words that the driver of such a device is written with.

    class Oven(Driver[Modbus]):
        temperature = modbus.reading(0x0000, I16.times(0.1), unit="Cel", doc="Chamber sensor.")
        setpoint = modbus.setting(0x0100, I16.times(0.1), unit="Cel", low=-40, high=180, doc="…")
        heating = modbus.switch(0x0000, doc="Whether the loop may heat.")
        door_open = modbus.status_bit(0x0004, doc="Whether the door is open.")

Addresses are the protocol's, from 0: the manuals' 40001, 30001, 10001 and 00001 are all 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, NamedTuple, TypeVar

from drivers.errors import DeviceError, DriverError, WrongType
from drivers.fields import Reading, Role, Setting
from drivers.protocol.registers import BIT, Codec
from drivers.transport.link import Bank, RegisterLink, Timeouts
from drivers.transport.modbus import ILLEGAL_ADDRESS, MOST_READ, ExceptionReply
from drivers.units import Unit
from drivers.wire import Ref

T = TypeVar("T")

PLANS: Final = 256
"""Sets of refs whose requests are remembered; a device is polled in a handful of sets."""


class Block(NamedTuple):
    """Neighbouring registers or bits, fetched by one request."""

    bank: Bank
    start: int
    size: int

    @property
    def stop(self) -> int:
        """The address behind the last."""
        return self.start + self.size


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


class Run(NamedTuple):
    """One request, and the refs, by their place in the question, that it answers."""

    block: Block
    members: tuple[tuple[int, RegisterRef[Any]], ...]


class Modbus:
    """The registers of one device.

    Args:
        link: One unit of a bus.
        timeouts: `whole` is also the longest that a reply may be late.
        gap: Registers that nobody asked for and that may be read along to save a request; 0
            for devices that refuse, or worse, when an address between has no register.
        most: Registers that the device gives in one reply.
    """

    carried_by: ClassVar[Literal["bytes", "registers"]] = "registers"
    timeouts: Timeouts = Timeouts(first_byte=1.0, next_byte=0.25, whole=3.0)

    def __init__(
        self, link: RegisterLink, timeouts: Timeouts, *, gap: int = 0, most: int = 125
    ) -> None:
        self._link, self.timeouts = link, timeouts
        self._gap = gap
        self._most = {bank: most if room == 125 else room for bank, room in MOST_READ.items()}
        self._plans: dict[tuple[Ref[Any], ...], list[Run]] = {}
        self._apart: set[Block] = set()

    async def hello(self) -> str:
        """Modbus has no greeting: a driver that wants an identity reads its registers."""
        return ""

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """Fetch every ref in as few requests as possible; one that fails alone is its DriverError.

        Raises:
            LinkError: The unit or the bus does not answer.
            BadReply: A reply was not one.
        """
        values: list[Any] = [None] * len(refs)
        for run in self._plan(tuple(refs)):
            await self._fetch(run, values)
        return values

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Write a value once. What has to be known first, such as its decimal point, is read.

        Raises:
            OutOfRange: The registers can't hold it exactly; it was not sent.
            DriverError: See RegisterLink.store.
        """
        own = _register_ref(ref)
        held = await self._registers(own.block) if own.codec.asks else []
        bank, start = own.write_to or own.block[:2]
        await self._link.store(bank, start, own.codec.pack(value, held), self.timeouts)

    async def _registers(self, block: Block) -> list[int]:
        return await self._link.fetch(*block, self.timeouts)

    async def _fetch(self, run: Run, values: list[Any]) -> None:
        try:
            registers = await self._registers(run.block)
        except DeviceError as refusal:
            if self._splits(run, refusal):
                for part in _one_by_one(run):
                    await self._fetch(part, values)
            else:
                for index, _ in run.members:
                    values[index] = refusal
            return
        for index, ref in run.members:
            offset = ref.block.start - run.block.start
            values[index] = _decoded(ref, registers[offset : offset + ref.block.size])

    def _splits(self, run: Run, refusal: DeviceError) -> bool:
        """Remember a block that the device refuses though it may have the parts asked for."""
        code = refusal.code if isinstance(refusal, ExceptionReply) else 0
        if code != ILLEGAL_ADDRESS or all(ref.block == run.block for _, ref in run.members):
            return False
        self._apart.add(run.block)
        self._plans.clear()
        return True

    def _plan(self, refs: tuple[Ref[Any], ...]) -> list[Run]:
        if refs not in self._plans:
            if len(self._plans) >= PLANS:
                self._plans.clear()
            self._plans[refs] = [*self._runs([_register_ref(ref) for ref in refs])]
        return self._plans[refs]

    def _runs(self, refs: list[RegisterRef[Any]]) -> Iterable[Run]:
        left = dict(enumerate(refs))
        for block in runs([ref.block for ref in refs], self._gap, self._most):
            inside = [(i, ref) for i, ref in left.items() if _contains(block, ref.block)]
            for index, _ in inside:
                del left[index]
            run = Run(block, tuple(inside))
            yield from _one_by_one(run) if block in self._apart else [run]


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


def reading(
    address: int,
    codec: Codec[T],
    *,
    bank: Bank = "input",
    unit: Unit = "",
    every: float = 1.0,
    doc: str,
) -> Reading[T]:
    """A value that the device reports."""
    return Reading(ref(address, codec, bank), codec.kind, unit=unit, every=every, doc=doc)


def setting(
    address: int,
    codec: Codec[T],
    *,
    read_at: int | None = None,
    unit: Unit = "",
    low: float | None = None,
    high: float | None = None,
    role: Role = Role.TECHNICIAN,
    every: float = 5.0,
    doc: str,
) -> Setting[T]:
    """A value in holding registers; `read_at` is the input register of the codec's block, if other."""
    own: tuple[Bank, int] = ("holding", address)
    bank, start = own if read_at is None else ("input", read_at)
    there = RegisterRef(
        codec.unpack, codec.pack, codec, Block(bank, start, codec.size), write_to=own
    )
    return Setting(
        there, codec.kind, unit=unit, low=low, high=high, role=role, every=every, doc=doc
    )


def switch(
    address: int,
    codec: Codec[bool] = BIT,
    *,
    role: Role = Role.TECHNICIAN,
    every: float = 5.0,
    anytime: bool = False,
    doc: str,
) -> Setting[bool]:
    """A coil: something that is on or off."""
    there = ref(address, codec, "coil")
    return Setting(there, bool, role=role, every=every, anytime=anytime, doc=doc)


def status_bit(
    address: int, codec: Codec[bool] = BIT, *, every: float = 1.0, doc: str
) -> Reading[bool]:
    """A discrete input."""
    return reading(address, codec, bank="discrete", every=every, doc=doc)


def ref(address: int, codec: Codec[T], bank: Bank = "input") -> RegisterRef[T]:
    """A value that is no field, such as a part of the identity."""
    return RegisterRef(codec.unpack, codec.pack, codec, Block(bank, address, codec.size))


def _register_ref(ref: Ref[Any]) -> RegisterRef[Any]:
    if not isinstance(ref, RegisterRef):
        raise WrongType(f"{ref!r} is not in Modbus registers")
    return ref


def _contains(outer: Block, inner: Block) -> bool:
    return outer.bank == inner.bank and outer.start <= inner.start and inner.stop <= outer.stop


def _one_by_one(run: Run) -> list[Run]:
    """Ask for each block of a run by itself; refs of one block still share its request."""
    parts: dict[Block, list[tuple[int, RegisterRef[Any]]]] = {}
    for index, ref in run.members:
        parts.setdefault(ref.block, []).append((index, ref))
    return [Run(block, tuple(members)) for block, members in parts.items()]


def _decoded(ref: RegisterRef[Any], registers: Sequence[int]) -> Any:
    try:
        return ref.decode(registers)
    except DriverError as error:
        return error
