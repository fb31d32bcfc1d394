"""What every kernel stands on: the compile switch, the cache, the state handle and bit operations.

A **kernel** is a module-level function in a narrow Python dialect: scalars and one or more state handles in, numbers
out, no objects, no exceptions. `@kernel` compiles it with numba; with `GRIDHALL_COMPILE=0` the very same source runs as
plain Python, for debugging and as a differential check.

A **state** is a set of named int64 columns that share one buffer, so that a fork is one copy and a digest one hash.
Rooms declare their columns in classes derived from `Columns`; the controller joins them. A kernel reads and writes
`w.column[i]` only.
"""

from gridhall.kernel.cache import cache_root
from gridhall.kernel.columns import Columns, IntColumn, Ints, column
from gridhall.kernel.switch import COMPILED

if COMPILED:
    from gridhall.kernel.compiled import count_ones, kernel, state_cast, trailing_zeros
else:
    from gridhall.kernel.plain import count_ones, kernel, state_cast, trailing_zeros

__all__ = [
    "COMPILED",
    "Columns",
    "IntColumn",
    "Ints",
    "cache_root",
    "column",
    "count_ones",
    "kernel",
    "state_cast",
    "trailing_zeros",
]
