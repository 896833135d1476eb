"""How the kernels are compiled. Defines `jit`, and `inlined` for what the loops call.

``nogil`` lets batches run in threads; ``cache`` keeps the machine code between runs (beside the module, or
in the user's cache folder where that is read-only). It is keyed by the time of the *caller's* file: who
changes an inlined function must also change the loops that inline it (`loop`, `solid_loop`), or checkouts
keep running the old one. Of the fast-math liberties only fused multiply-add is taken: infinities mean
"never crosses" in ray stepping, and sums must keep their order to be reproducible.
Every physics function takes and returns plain scalars and arrays, so that the same source compiles for CUDA.
"""

from __future__ import annotations

from typing import Any

from numba import njit

jit: Any = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})

inlined: Any = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
