"""Memory of this process."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Give what was freed back to the system.

    Allocators keep what is freed for who asks the same one again, here hundreds of MB that FFmpeg or Arrow let go and
    NumPy can't have. Where the C library has no way to say so (other than glibc) nothing happens.
    """
    if "pyarrow" in sys.modules:
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
