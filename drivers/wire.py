"""What a field needs to know of a protocol: refs go in, values come out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from drivers.transport.link import Carried, Timeouts

T = TypeVar("T")


@dataclass(frozen=True)
class Ref(Generic[T]):
    """Where a value lives on the wire, and how it is spelled there."""

    decode: Callable[[Any], T]
    encode: Callable[[T], Any]


class Wire(Protocol):
    """A protocol over a link: `Scpi(link, timeouts)`; constructing it sends nothing."""

    carried_by: ClassVar[Carried]
    timeouts: Timeouts  # on the class: what suits the protocol; on the object: in force

    async def hello(self) -> str:
        """Get in step with a device just connected; return what it calls itself, or ""."""
        ...

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """Fetch every ref, in order; one that fails alone yields its DriverError."""
        ...

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Send one value once, `acting`. It is never repeated here, whatever happens."""
        ...
