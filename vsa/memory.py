"""Memory of this process."""

from __future__ import annotations

import ctypes
import sys

#: Where less media than this was analysed, s, to ask for the memory anew would take longer than it is worth.
_WORTH_S = 600.0


def give_back(media_s: float) -> None:
    """Give what was freed back to the system, after so much media, s, was analysed.

    Allocators keep what is freed for who asks the same one again, here hundreds of MB that FFmpeg or Arrow let go and
    NumPy can't have. Where the C library has no way to say so (other than glibc) nothing happens.
    """
    if media_s < _WORTH_S:
        return
    if "pyarrow" in sys.modules:
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
