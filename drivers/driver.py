"""The base of every driver: collects its fields, checks identity, reads many at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, get_args, get_origin

from drivers.errors import OutOfRange, UnknownName, WrongInstrument, WrongType
from drivers.fields import Command, Reading, Setting
from drivers.forms import Limits
from drivers.profile import Profile
from drivers.transport.link import Link, RegisterLink, Timeouts, WebLink
from drivers.wire import Ref, Wire

SETS: Final = 256
"""Sets of names whose refs are remembered."""

W = TypeVar("W", bound=Wire)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: the device's own words, and what could be read from them ("" if it does not say)."""

    text: str
    model: str = ""
    serial_number: str = ""
    firmware: str = ""


class Driver(Generic[W]):
    """One kind of device: what it offers, over a wire of kind W.

    A subclass names its wire once, in `Driver[Scpi]`, and declares readings, settings and commands.
    Constructing it sends nothing.
    """

    identity: ClassVar[str] = ""
    """A pattern that the whole of `Identity.text` must match; empty where devices of this kind say nothing."""

    traits: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Arguments for the wire that are this model's own, such as its line end."""

    readings: ClassVar[Mapping[str, Reading[Any]]] = MappingProxyType({})
    """Every reading and setting, by name."""

    commands: ClassVar[Mapping[str, Command[Any, ..., Any]]] = MappingProxyType({})
    """Everything it can do, by name."""

    hazards: ClassVar[Mapping[str, frozenset[Any]]] = MappingProxyType({})
    """Readings of what can do harm while nobody watches: an output, a heater, motion.

    Each with the values, as `word` spells them, at which it can't; every other one counts as
    energised, and so does none. A driver with any of them has a `make_safe` that leads there.
    """

    wire_type: ClassVar[type[Any]]
    """The W of `Driver[W]`."""

    def __init_subclass__(cls) -> None:
        own = vars(cls)
        fields = {name: it for name, it in own.items() if isinstance(it, Reading)}
        commands = {name: it for name, it in own.items() if isinstance(it, Command)}
        cls.readings = MappingProxyType({**cls.readings, **fields})
        cls.commands = MappingProxyType({**cls.commands, **commands})
        for base in own.get("__orig_bases__", ()):
            origin = get_origin(base)
            is_driver = isinstance(origin, type) and issubclass(origin, Driver)
            if is_driver and isinstance(get_args(base)[0], type):
                cls.wire_type = get_args(base)[0]

    def __init__(
        self, wire: W, limits: Limits | None = None, profile: Profile | None = None
    ) -> None:
        self.wire = wire
        self.limits = limits or Limits()
        self.profile = profile or Profile()
        self._refs: dict[tuple[str, ...], tuple[Ref[Any], ...]] = {}

    @classmethod
    def over(
        cls,
        link: Link | RegisterLink | WebLink,
        *,
        limits: Limits | None = None,
        timeouts: Mapping[str, float] = MappingProxyType({}),
        registers: Mapping[str, int] = MappingProxyType({}),
        profile: Profile | None = None,
    ) -> Self:
        """Build the driver with its wire on a link.

        By name, `timeouts` replaces those of the model, and `registers` its `most` and `gap`.
        `profile` is what files a printer may get.
        """
        traits = {**cls.traits, **registers}
        traits.pop("timeouts", None)
        return cls(cls.wire_type(link, cls.waits(timeouts), **traits), limits, profile)

    @classmethod
    def waits(cls, given: Mapping[str, float] = MappingProxyType({})) -> Timeouts:
        """The time-outs of the model, replaced by name with those given."""
        suitable: Timeouts = cls.traits.get("timeouts", cls.wire_type.timeouts)
        return replace(suitable, **given)

    @classmethod
    def requests(
        cls, names: Iterable[str], registers: Mapping[str, int] = MappingProxyType({})
    ) -> list[tuple[int, int]]:
        """Bytes asked and answered on a serial line by each request that reading these takes.

        Empty for a wire that does not know beforehand.
        """
        tell = getattr(cls.wire_type, "requests", None)
        if tell is None:
            return []
        traits = {**cls.traits, **registers}
        traits.pop("timeouts", None)
        told: list[tuple[int, int]] = tell([cls.readings[name].ref for name in names], **traits)
        return told

    async def identify(self) -> Identity:
        """Ask the device who it is. Raises DriverError."""
        return Identity(await self.wire.hello())

    async def meet(self, serial_number: str = "") -> Identity:
        """Identify the device, and refuse another model, or another unit than `serial_number`.

        Raises:
            WrongInstrument: Another device answers here.
            DriverError: It could not be asked.
        """
        found = await self.identify()
        if self.identity and not re.fullmatch(self.identity, found.text):
            raise WrongInstrument(
                f"{found.text!r} answers; this driver is for: {self.title()}. "
                "Check the address and the cable, then reconnect"
            )
        if serial_number and found.serial_number != serial_number:
            raise WrongInstrument(
                f"the unit with serial number {found.serial_number or 'unknown'} answers; "
                f"the config wants {serial_number}"
            )
        return found

    @classmethod
    def title(cls) -> str:
        """What a person calls the device: the first line of the class's docstring, without its article."""
        line = (cls.__doc__ or cls.__name__).strip().partition("\n")[0].rstrip(".")
        bare = re.sub(r"^(A|An|The) ", "", line)
        return bare[:1].upper() + bare[1:]

    async def read(self, names: Iterable[str]) -> dict[str, Any]:
        """Read several values in as few exchanges as the protocol allows.

        A value that fails alone is its DriverError. Raises LinkError when the link fails.
        """
        wanted = tuple(names)
        values = await self.wire.read(self._refs.get(wanted) or self._found(wanted))
        return dict(zip(wanted, values, strict=True))

    def _found(self, wanted: tuple[str, ...]) -> tuple[Ref[Any], ...]:
        """Look refs up, and remember them: a device is polled in a handful of sets."""
        if len(self._refs) >= SETS:
            self._refs.clear()
        self._refs[wanted] = tuple([self.readings[name].ref for name in wanted])
        return self._refs[wanted]

    @classmethod
    def settings(cls) -> dict[str, Setting[Any]]:
        """The readings that can be changed, by name."""
        return {name: it for name, it in cls.readings.items() if isinstance(it, Setting)}

    @classmethod
    def check_setting(cls, limits: Limits, name: str, value: object) -> Any:
        """Return the value as the driver takes it, or raise a RequestError; nothing is sent."""
        settings = cls.settings()
        if name not in settings:
            kind = "a reading, which can't be set" if name in cls.readings else "not a setting"
            raise UnknownName(f"{name} is {kind}; settings: {', '.join(settings) or 'none'}")
        return limits.narrow(name, settings[name].form).check(name, value)

    @classmethod
    def check_arguments(
        cls, limits: Limits, name: str, arguments: Mapping[str, object]
    ) -> dict[str, Any]:
        """Return a command's arguments as the driver takes them, or raise a RequestError."""
        command = cls.commands.get(name)
        if command is None:
            offered = ", ".join(cls.commands) or "none"
            raise UnknownName(f"{name} is not a command; commands: {offered}")
        parameters = {parameter.name: parameter for parameter in command.parameters}
        for given in arguments:
            if given not in parameters:
                takes = ", ".join(parameters) or "none"
                raise UnknownName(f"{name} has no argument {given}; arguments: {takes}")
        checked = {}
        for parameter in parameters.values():
            path = f"{name}.{parameter.name}"
            form = limits.narrow(path, parameter.form)
            if parameter.name in arguments:
                checked[parameter.name] = form.check(path, arguments[parameter.name])
            elif parameter.required:
                raise WrongType(f"{path} is missing: {parameter.form.article}")
            elif parameter.default is not None:  # config may have narrowed the range below it
                form.check(path, parameter.default)
        return checked

    @classmethod
    def check_limits(cls, limits: Limits) -> list[tuple[str, str]]:
        """Say which of a config's limits are wrong, as (name, sentence); empty when all are right."""
        wrong = []
        for name in limits.spans:
            try:
                limits.narrow(name, cls._ranged_form(name))
            except (OutOfRange, UnknownName) as error:
                wrong.append((name, str(error)))
        return wrong

    @classmethod
    def _ranged_form(cls, name: str) -> Any:
        setting = cls.settings().get(name)
        if setting is not None and setting.form.kind in {"number", "integer"}:
            return setting.form
        command, _, argument = name.partition(".")
        if command in cls.commands:
            for parameter in cls.commands[command].parameters:
                if parameter.name == argument and parameter.form.kind in {"number", "integer"}:
                    return parameter.form
        raise UnknownName(f"{name} is neither a setting nor a command's argument with a range")

    async def make_safe(self) -> None:
        """Bring the device to the state that is safe to leave alone. Harmless twice."""

    async def interrupt(self) -> None:
        """Send, past every queue and without waiting for a turn, what stops the device at once.

        Only devices with realtime bytes or an emergency code have such a thing; others do nothing.
        """
