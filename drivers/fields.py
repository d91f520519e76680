"""Readings, settings and commands: how a driver says what its device offers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from drivers.forms import Form, Limits, Parameter, Span, parameters_of
from drivers.units import Unit
from drivers.wire import Ref, Wire

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")
W_co = TypeVar("W_co", bound=Wire, covariant=True)


class HasWire(Protocol[W_co]):
    """Anything a field can be bound to: a driver, seen from below."""

    @property
    def wire(self) -> W_co: ...
    @property
    def limits(self) -> Limits: ...


D = TypeVar("D", bound=HasWire[Any])


class Role(IntEnum):
    """Who may use a field; each role includes the ones before it."""

    OBSERVER = 0
    TECHNICIAN = 1
    ENGINEER = 2
    QA = 3
    ADMINISTRATOR = 4


class Reading(Generic[T]):
    """A value the device reports. `every` is the poll period in seconds; 0 means only when asked."""

    name = ""

    def __init__(
        self, ref: Ref[T], type_: type[T], *, unit: Unit = "", every: float = 1.0, doc: str
    ) -> None:
        self.ref, self.every, self.doc = ref, every, doc
        self.form = Form(type_, unit=unit)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, device: None, owner: type) -> Reading[T]: ...
    @overload
    def __get__(self, device: HasWire[Wire], owner: type) -> BoundReading[T]: ...
    def __get__(self, device: HasWire[Wire] | None, owner: type) -> Reading[T] | BoundReading[T]:
        return self if device is None else BoundReading(device, self)


class Setting(Reading[T]):
    """A value the device reports and lets us change, by `role` and above, within low…high.

    `anytime` settings may be changed while a command runs; others wait for its end.
    """

    def __init__(
        self,
        ref: Ref[T],
        type_: type[T],
        *,
        unit: Unit = "",
        low: float | None = None,
        high: float | None = None,
        role: Role = Role.TECHNICIAN,
        every: float = 5.0,
        anytime: bool = False,
        doc: str,
    ) -> None:
        super().__init__(ref, type_, unit=unit, every=every, doc=doc)
        self.form = Form(type_, unit=unit, span=Span(low, high, unit))
        self.role, self.anytime = role, anytime

    @overload
    def __get__(self, device: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, device: HasWire[Wire], owner: type) -> BoundSetting[T]: ...
    def __get__(self, device: HasWire[Wire] | None, owner: type) -> Setting[T] | BoundSetting[T]:
        return self if device is None else BoundSetting(device, self)


class BoundReading(Generic[T]):
    """A reading of one particular device."""

    def __init__(self, device: HasWire[Wire], spec: Reading[T]) -> None:
        self.device, self.spec = device, spec

    async def read(self) -> T:
        """Ask the device now. Raises DriverError."""
        (value,) = await self.device.wire.read([self.spec.ref])
        if isinstance(value, Exception):
            raise value
        fetched: T = value
        return fetched


class BoundSetting(BoundReading[T]):
    """A setting of one particular device, within that device's own limits."""

    def __init__(self, device: HasWire[Wire], spec: Setting[T]) -> None:
        super().__init__(device, spec)
        self.form = device.limits.narrow(spec.name, spec.form)

    def check(self, value: T) -> T:
        """Return the value as the device takes it, or raise WrongType or OutOfRange."""
        checked: T = self.form.check(self.spec.name, value)
        return checked

    async def write(self, value: T) -> None:
        """Send the value once. Raises WrongType or OutOfRange before anything is sent, else DriverError."""
        await self.device.wire.write(self.spec.ref, self.check(value))


class Command(Generic[D, P, R]):
    """Something the device does. The method's signature is its form, its docstring its label."""

    name = ""

    def __init__(
        self,
        method: Callable[Concatenate[D, P], Coroutine[Any, Any, R]],
        role: Role,
        timeout: float,
        anytime: bool,
    ) -> None:
        self.method, self.role, self.timeout, self.anytime = method, role, timeout, anytime
        self.doc = (method.__doc__ or "").strip()

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The arguments a caller gives, in the order of the method's signature."""
        return parameters_of(self.method)

    @overload
    def __get__(self, device: None, owner: type) -> Command[D, P, R]: ...
    @overload
    def __get__(self, device: D, owner: type) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(self, device: D | None, owner: type) -> Any:
        return self if device is None else self.method.__get__(device, owner)


def command(
    *, role: Role = Role.TECHNICIAN, timeout: float, anytime: bool = False
) -> Callable[[Callable[Concatenate[D, P], Coroutine[Any, Any, R]]], Command[D, P, R]]:
    """Offer an async method to people and jobs.

    It may take `timeout` seconds, and runs alone; an `anytime` command (pause, feed hold, cancel)
    runs beside another.
    """
    return lambda method: Command(method, role, timeout, anytime)
