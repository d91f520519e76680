"""What starting leaves behind: memory that nobody needs any more, and objects that stay for ever."""

import ctypes
import gc


def settle() -> None:
    """Return to the system what only starting needed, and exempt from collection what is there now.

    Libraries and devices stay as long as the agent does. To look through all their objects again
    and again stops the loop for some 60 ms with 64 devices, most of it for the libraries.
    """
    gc.collect()
    gc.freeze()
    gc.enable()  # the start has gone without
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc has it; other libraries return memory by themselves
        libc.malloc_trim(0)
