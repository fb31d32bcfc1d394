"""Sorted lists for the peers: running jobs of each cell by when they end, waiting jobs by a key."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Running(NamedTuple):
    """Sorted by `key` (an end, expected or true) within each cell's span of the arrays."""

    first: Ints  # C + 1; where each cell's span begins
    count: Ints  # C
    key: Ints
    job: Ints


class Waiting(NamedTuple):
    """A doubly linked list in ascending order of (key, job)."""

    key: Ints  # J
    after: Ints  # J + 1; the last entry is the anchor: its `after` is the head
    before: Ints  # J + 1; the anchor's `before` is the tail


def running(capacity: Ints) -> Running:
    """Room for so many jobs in each cell."""
    first = np.concatenate([[0], np.cumsum(capacity)]).astype(np.int64)
    size = int(first[-1])
    return Running(first, np.zeros(len(capacity), np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64))


def waiting(keys: Ints) -> Waiting:
    """An empty list for jobs with these keys."""
    size = len(keys) + 1
    return Waiting(keys.copy(), np.full(size, size - 1), np.full(size, size - 1))


@njit(cache=True)
def begin(running: Running, cell: int, key: int, job: int) -> None:
    """Add a job to a cell."""
    first = running.first[cell]
    last = first + running.count[cell]
    if last == running.first[cell + 1]:
        raise OverflowError("more running jobs in a cell than the peer has room for")
    place = first + np.searchsorted(running.key[first:last], key, side="right")
    running.key[place + 1 : last + 1] = running.key[place:last].copy()
    running.job[place + 1 : last + 1] = running.job[place:last].copy()
    running.key[place] = key
    running.job[place] = job
    running.count[cell] += 1


@njit(cache=True)
def end(running: Running, cell: int, key: int, job: int) -> None:
    """Take a job out of a cell."""
    first = running.first[cell]
    last = first + running.count[cell]
    place = first + np.searchsorted(running.key[first:last], key, side="left")
    while running.job[place] != job:
        place += 1
    running.key[place : last - 1] = running.key[place + 1 : last].copy()
    running.job[place : last - 1] = running.job[place + 1 : last].copy()
    running.count[cell] -= 1


@njit(cache=True)
def enqueue(waiting: Waiting, job: int) -> None:
    """Insert by (key, job), looking from the tail: a list in order of arrival is appended to at once."""
    anchor = len(waiting.key)
    place = waiting.before[anchor]
    key = waiting.key[job]
    while place != anchor and (waiting.key[place] > key or (waiting.key[place] == key and place > job)):
        place = waiting.before[place]
    after = waiting.after[place]
    waiting.after[place] = job
    waiting.before[job] = place
    waiting.after[job] = after
    waiting.before[after] = job


@njit(cache=True)
def dequeue(waiting: Waiting, job: int) -> None:
    """Take a job out of the list; its own `after` stays valid for a walk that stands on it."""
    waiting.after[waiting.before[job]] = waiting.after[job]
    waiting.before[waiting.after[job]] = waiting.before[job]
