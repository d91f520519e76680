"""The fates that replies may meet over each kind of link, for Hypothesis to choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hypothesis import strategies as st

from drivers.transport.link import Timeouts
from simulators.faults import Fault
from tests.drivers.bench import Bench
from tests.drivers.faulty_cable import Fate

NO_CHECKSUM: Final = "no checksum: a digit that became another digit is a valid number"
BELOW_US: Final = "TCP's own checksum throws a garbled packet away, and the sender repeats it"

UNDETECTABLE: Final[Mapping[str, str]] = {
    "tcp": BELOW_US,
    "modbus+tcp": BELOW_US,
    "serial": NO_CHECKSUM,
}
"""Where a garbled reply can be a valid one, and why; what is dealt there is in `noise`.

Over Modbus RTU any garbling is dealt: its CRC finds every burst of up to 16 bits.
"""

COPIES: Final = "nothing tells a second copy from the answer to a query sent before it arrived"
"""Why a doubled reply is dealt in one piece: without transaction numbers there is no other way."""

HEADER: Final = 7
"""Bytes of the MBAP header: transaction, protocol, length, unit."""


def flipped(at: int, bits: int, within: int = 1 << 20) -> Callable[[bytes], bytes]:
    """Turn bits of one byte around."""

    def spoil(reply: bytes) -> bytes:
        spoilt = bytearray(reply)
        spoilt[at % min(within, len(reply))] ^= bits
        return bytes(spoilt)

    return spoil


def noise(scheme: str) -> st.SearchStrategy[Fate]:
    """Garbling that the protocol can find.

    Text on a serial line: a byte beyond ASCII, as framing errors and wrong baud rates make them.
    """
    places, bits = st.integers(0, 300), st.integers(1, 255)
    if scheme == "modbus+tcp":
        return st.builds(flipped, places, bits, st.just(HEADER))
    if scheme not in UNDETECTABLE:
        return st.builds(flipped, places, bits)
    high = st.integers(0x80, 0xFF)
    return st.builds(flipped, places, high) if scheme == "serial" else st.none()


def delays(bench: type[Bench], scheme: str, timeouts: Timeouts) -> st.SearchStrategy[Fate]:
    """Later than the time-out; where the protocol can't tell later ones, within `whole`."""
    least = min(timeouts.first_byte, timeouts.whole)
    most = 0.9 * timeouts.whole if scheme in bench.lateness else 3.0 * timeouts.whole
    return st.floats(0.9 * least, most).map(lambda s: Fault(kind="delay", next=1, seconds=s))


def fates(bench: type[Bench], scheme: str, timeouts: Timeouts) -> st.SearchStrategy[Fate]:
    """One reply's fate: mostly none."""
    keep = st.integers(0, 60)
    return st.one_of(
        st.none(),
        st.none(),
        st.just(Fault(kind="lose", next=1)),
        st.just(Fault(kind="duplicate", next=1)),
        keep.map(lambda n: Fault(kind="cut", next=1, keep=n)),
        keep.map(lambda n: Fault(kind="disconnect", next=1, keep=n)),
        st.just(Fault(kind="disconnect", next=1)),
        delays(bench, scheme, timeouts),
        noise(scheme),
    )
