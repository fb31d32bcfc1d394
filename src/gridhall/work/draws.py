"""Chance as integers: raw Philox words, and tables that turn their bits into quantities.

A generated workload must be the same on every machine, or decision digests could not be compared. So nothing is drawn
through floating-point library calls: each distribution is a table of equally likely integers, built once and looked up
by the bits of a counter-based random word. A chunk's words depend on (seed, stream, chunk) alone, so that any chunk can
be made by itself and in any order.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gridhall.work.table import Ints

LOG_UNIT = 4096
"""Fixed-point units in one e-fold: run times are handled as logarithms in steps of 1/4096 (0.024 %)."""
NORMAL_BITS = 14
EXPONENTIAL_BITS = 12
EXPONENTIAL_UNIT = 1024


def words(seed: int, stream: int, chunk: int, count: int) -> Ints:
    """`count` random 64-bit words of one stream of one chunk."""
    source = np.random.Philox(key=np.array([seed, stream], np.uint64), counter=np.array([0, chunk, 0, 0], np.uint64))
    return source.random_raw(count).view(np.int64)


def bits(word: Ints, first: int, count: int) -> Ints:
    """Bits `first` to `first + count` of each word, as an index."""
    return (word >> first) & ((1 << count) - 1)


def lookup(weights: Sequence[float], bit_count: int) -> NDArray[np.uint8]:
    """A table of 2^bit_count entries that holds index i in proportion to weights[i] (at most 256 weights).

    Every positive weight gets at least one entry.
    """
    shares = np.asarray(weights, np.float64)
    ends = np.rint(np.cumsum(shares) / shares.sum() * (1 << bit_count)).astype(np.int64)
    counts = np.diff(ends, prepend=0)
    starved = (counts == 0) & (shares > 0)
    counts[starved] = 1
    counts[np.argmax(counts)] -= int(starved.sum())
    return np.repeat(np.arange(len(shares), dtype=np.uint8), counts)


def shares(table: NDArray[np.uint8], entries: int) -> NDArray[np.float64]:
    """The probability of each index that a lookup table really gives."""
    return np.bincount(table, minlength=entries) / len(table)


def normal(sigma: float) -> Ints:
    """2^NORMAL_BITS equally likely values of a normal distribution around 0, in LOG_UNIT, ascending."""
    law, count = NormalDist(0.0, sigma), 1 << NORMAL_BITS
    upper = [round(law.inv_cdf((rank + 0.5) / count) * LOG_UNIT) for rank in range(count // 2, count)]
    return np.array([-value for value in reversed(upper)] + upper, np.int64)


def exponential() -> Ints:
    """2^EXPONENTIAL_BITS equally likely values of an exponential distribution of mean 1, in EXPONENTIAL_UNIT."""
    count = 1 << EXPONENTIAL_BITS
    return np.array([round(-math.log(1 - (rank + 0.5) / count) * EXPONENTIAL_UNIT) for rank in range(count)], np.int64)
