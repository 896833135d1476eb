"""Random numbers keyed by (seed, batch, history). Defines `start_stream` and `uniform`.

The generator is SplitMix (Steele, Lea, Flood, OOPSLA 2014, doi:10.1145/2660193.2660195): number *n* of a
stream is ``mix(key + n * gamma)``, a counter-based form. Each history has its own key *and* its own odd
increment gamma, both hashed from (seed, batch, history); so a history's numbers depend on nothing else,
whoever computes it, and starting a stream costs a few nanoseconds. The constants of the mixers are
MurmurHash3's and Stafford's variant 13, as in that paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wholedose.transport.compiled import inlined

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_S30, _S27, _S31, _S33, _S1, _S12 = (np.uint64(n) for n in (30, 27, 31, 33, 1, 12))
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_C, _D = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_S2, _S4, _S56 = np.uint64(2), np.uint64(4), np.uint64(56)
_M1, _M2 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_M4, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_ONE = np.uint64(1)
_PATTERN = np.uint64(0xAAAAAAAAAAAAAAAA)
_TO_UNIT = 2.0**-52
_HALF = 2.0**-53


@inlined
def mix64(z: Any) -> Any:
    """Return 64 mixed bits of a 64-bit word (Stafford's variant 13)."""
    z = (z ^ (z >> _S30)) * _A
    z = (z ^ (z >> _S27)) * _B
    return z ^ (z >> _S31)


@inlined
def _bit_count(z: Any) -> Any:
    z = z - ((z >> _S1) & _M1)
    z = (z & _M2) + ((z >> _S2) & _M2)
    z = (z + (z >> _S4)) & _M4
    return (z * _BYTES) >> _S56


@inlined
def _mix_gamma(z: Any) -> Any:
    z = (z ^ (z >> _S33)) * _C
    z = (z ^ (z >> _S33)) * _D
    z = (z ^ (z >> _S33)) | _ONE
    # increments with few 01 or 10 pairs make weak streams: the paper flips every other bit of those
    if _bit_count(z ^ (z >> _S1)) < 24:
        z = z ^ _PATTERN
    return z


@inlined
def stream_key(seed: Any, batch: Any) -> Any:
    """Return the key of a batch, from which its histories' streams start."""
    return mix64(mix64(np.uint64(seed) + _GOLDEN) + (np.uint64(batch) + _ONE) * _GOLDEN)


@inlined
def start_stream(rng: Any, key: Any, history: Any) -> None:
    """Set ``rng`` (uint64[2]: counter, increment) to the start of a history's stream."""
    z = key + (np.uint64(history) + _ONE) * _GOLDEN
    rng[0] = mix64(z)
    rng[1] = _mix_gamma(z ^ _GOLDEN)


@inlined
def uniform(rng: Any) -> Any:
    """Return the stream's next number, in the open interval (0, 1), with 52 random bits."""
    state = rng[0] + rng[1]
    rng[0] = state
    return np.float64(mix64(state) >> _S12) * _TO_UNIT + _HALF
