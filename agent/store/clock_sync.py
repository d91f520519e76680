"""Whether the station's clock is kept in step with the world's, as the kernel knows it."""

import ctypes
from pathlib import Path
from typing import Final

_TIMEX_BYTES: Final = 256
"""Room for the kernel's `struct timex`: 208 bytes on 64-bit Linux, less on others."""
_NOT_IN_STEP: Final = 5
"""TIME_ERROR. Source: adjtimex(2), RETURN VALUE."""
_TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
"""What systemd-timesyncd leaves when it has set the clock. Source: systemd-timesyncd(8)."""

# PyDLL keeps the interpreter during the call, which takes less than a microsecond. CDLL lets it go,
# and while another thread is busy it takes milliseconds to get it back.
_adjtimex = ctypes.PyDLL(None).adjtimex


def clock_synced() -> bool | None:
    """Whether a time service keeps the clock in step; None where the system does not tell.

    With `ProtectClock=yes` a service may not ask the kernel, and only timesyncd's file is left.
    """
    state: int = _adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state >= 0:
        return state != _NOT_IN_STEP
    return True if _TIMESYNCD.exists() else None
