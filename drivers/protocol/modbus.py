"""Modbus: values by register address, and the words that the driver of such a device is written with.

    class Oven(Driver[Modbus]):
        temperature = modbus.reading(0x0000, I16.times(0.1), unit="Cel", doc="Chamber sensor.")
        setpoint = modbus.setting(0x0100, I16.times(0.1), unit="Cel", low=-40, high=180, doc="…")
        heating = modbus.switch(0x0000, doc="Whether the loop may heat.")
        fan = modbus.bit(0x0102, 3, doc="Whether the fan may run.")
        door_open = modbus.status_bit(0x0004, doc="Whether the door is open.")

Addresses are the protocol's, from 0: the manuals' 40001, 30001, 10001 and 00001 are all 0.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeVar

from drivers.errors import DeviceError, DriverError, WrongType
from drivers.fields import Reading, Role, Setting
from drivers.protocol.bit_field import BitField
from drivers.protocol.blocks import Block, RegisterRef, Run, halves, parts, runs
from drivers.protocol.codec import Codec
from drivers.protocol.registers import BIT
from drivers.transport.attempt import acting, beforehand
from drivers.transport.link import Bank, Carried, RegisterLink, Timeouts
from drivers.transport.modbus import CUT_WHEN_REFUSED, MOST_READ, ExceptionReply, reply_size
from drivers.units import Unit
from drivers.wire import Ref

T = TypeVar("T")

PLANS: Final = 256
"""Sets of refs whose requests are remembered; a device is polled in a handful of sets."""


class Modbus:
    """The registers of one device.

    Args:
        link: One unit of a bus.
        timeouts: `whole` is also the longest that a reply may be late.
        gap: Registers that nobody asked for and that may be read along to save a request; 0
            for devices that refuse, or worse, when an address between has no register.
        most: Registers that the device gives in one reply.
    """

    carried_by: ClassVar[Carried] = "registers"
    timeouts: Timeouts = Timeouts(first_byte=1.0, next_byte=0.25, whole=3.0)

    def __init__(
        self, link: RegisterLink, timeouts: Timeouts, *, gap: int = 0, most: int = 125
    ) -> None:
        self._link, self.timeouts = link, timeouts
        self._gap, self._most = gap, most
        self._plans: dict[tuple[Ref[Any], ...], tuple[Run, ...]] = {}
        self._rewriting = asyncio.Lock()

    @staticmethod
    def requests(
        refs: Sequence[Ref[Any]], *, gap: int = 0, most: int = 125
    ) -> list[tuple[int, int]]:
        """Bytes asked and answered, CRC and all, by each RTU request that reading the refs takes."""
        asked = [_register_ref(ref).block for ref in refs]
        return [(8, reply_size(bank, size)) for bank, _, size in runs(asked, gap, _room(most))]

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
        if isinstance(own.codec, BitField) and own.codec.by_mask:
            with acting():
                start = (own.write_to or own.block)[1]
                await self._link.mask(start, *own.codec.masks(value), self.timeouts)
        elif own.codec.asks:
            async with self._rewriting:  # or two of ours would each write what the other changed
                with beforehand():
                    held = await self._link.fetch(*own.block, self.timeouts)
                await self._store(own, own.codec.pack(value, held))
        else:
            await self._store(own, own.codec.pack(value))

    async def _store(self, own: RegisterRef[Any], registers: Sequence[int]) -> None:
        bank, start = own.write_to or own.block[:2]
        with acting():
            await self._link.store(bank, start, registers, self.timeouts)

    async def _fetch(self, run: Run, values: list[Any]) -> None:
        try:
            registers = await self._link.fetch(*run.block, self.timeouts)
        except DeviceError as refusal:
            if self._splits(run, refusal):
                for part in halves(run):
                    await self._fetch(part, values)
            else:
                for index, _ in run.members:
                    values[index] = refusal
            return
        if self._link.refused and run.block in self._link.refused:  # it was still starting then
            self._link.refused.discard(run.block)
            self._plans.clear()
        for index, decode, where in run.cuts:
            try:
                values[index] = decode(registers[where])
            except DriverError as error:
                values[index] = error

    def _splits(self, run: Run, refusal: DeviceError) -> bool:
        """Remember a block that the device refuses; whether it may have the parts asked for."""
        code = refusal.code if isinstance(refusal, ExceptionReply) else 0
        if code not in CUT_WHEN_REFUSED:
            return False
        refused = self._link.refused
        if run.block not in refused:
            refused -= {larger for larger in refused if Block(*larger).has(run.block)}
            refused.add(run.block)
            self._plans.clear()
        return len(run.blocks) > 1

    def _plan(self, refs: tuple[Ref[Any], ...]) -> tuple[Run, ...]:
        plan = self._plans.get(refs)
        if plan is None:
            if len(self._plans) >= PLANS:
                self._plans.clear()
            refused = frozenset(self._link.refused)
            plan = self._plans[refs] = _shared_plan(refs, self._gap, self._most, refused)
        return plan


@lru_cache(maxsize=4 * PLANS)
def _shared_plan(
    refs: tuple[Ref[Any], ...], gap: int, most: int, refused: frozenset[tuple[Bank, int, int]]
) -> tuple[Run, ...]:
    """The requests of all devices of one kind, which would take 10 KB for each."""
    return tuple(_plan([_register_ref(ref) for ref in refs], gap, most, refused))


def _plan(
    refs: list[RegisterRef[Any]], gap: int, most: int, refused: Set[tuple[Bank, int, int]]
) -> Iterable[Run]:
    left = dict(enumerate(refs))
    for block in runs([ref.block for ref in refs], gap, _room(most)):
        inside = [(i, ref) for i, ref in left.items() if block.has(ref.block)]
        for index, _ in inside:
            del left[index]
        yield from parts(Run(block, tuple(inside)), refused)


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
        codec.decoder, codec.pack, codec, Block(bank, start, codec.size), write_to=own
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


def bit(
    address: int,
    number: int,
    codec: Codec[bool] = BIT,
    *,
    by_mask: bool = True,
    role: Role = Role.TECHNICIAN,
    every: float = 5.0,
    anytime: bool = False,
    doc: str,
) -> Setting[bool]:
    """One bit of a holding register that is on or off; bit 0 is the least significant. See `bits`."""
    there = _bits(address, BitField(codec, number, 1, by_mask))
    return Setting(there, bool, role=role, every=every, anytime=anytime, doc=doc)


def bits(
    address: int,
    first: int,
    width: int,
    codec: Codec[T],
    *,
    by_mask: bool = True,
    low: float | None = None,
    high: float | None = None,
    role: Role = Role.TECHNICIAN,
    every: float = 5.0,
    doc: str,
) -> Setting[T]:
    """`width` bits of a holding register, from bit `first` up: `U16`, or `U16.as_enum(Mode)`.

    They are set by function 22, in which the device itself leaves the other bits as they are.
    `by_mask=False` is for devices without it: the register is read and written again, and what
    the device or another master changes between these two requests IS UNDONE. Never use it for a
    register in which the device sets bits of its own.

    Raises:
        ValueError: Such bits are not in one register.
    """
    field = BitField(codec, first, width, by_mask)
    if codec.kind is int:
        low, high = low or 0, field.highest if high is None else high
    there = _bits(address, field)
    return Setting(there, codec.kind, low=low, high=high, role=role, every=every, doc=doc)


def status_bit(
    address: int, codec: Codec[bool] = BIT, *, every: float = 1.0, doc: str
) -> Reading[bool]:
    """A discrete input."""
    return reading(address, codec, bank="discrete", every=every, doc=doc)


def ref(address: int, codec: Codec[T], bank: Bank = "input") -> RegisterRef[T]:
    """A value that is no field, such as a part of the identity."""
    return RegisterRef(codec.decoder, codec.pack, codec, Block(bank, address, codec.size))


def _room(most: int) -> dict[Bank, int]:
    """How many cells of each kind one reply may hold; `most` is of registers alone."""
    return {bank: most if room == 125 else room for bank, room in MOST_READ.items()}


def _bits(address: int, field: BitField[T]) -> RegisterRef[T]:
    return RegisterRef(field.unpack, field.pack, field, Block("holding", address, 1))


def _register_ref(ref: Ref[Any]) -> RegisterRef[Any]:
    if not isinstance(ref, RegisterRef):
        raise WrongType(f"{ref!r} is not in Modbus registers")
    return ref
