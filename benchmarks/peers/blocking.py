"""First in, first out, and shortest job first: the head of each queue blocks what stands behind it.

Jobs with the same allowed cells form a queue, so that a head which waits for one site does not hold up jobs that may
not run there anyway. At every instant the oldest (or shortest) head that is not blocked is tried, until every head
blocks. A head that was blocked is tried again only when something ended in one of its cells.
"""

from heapq import heappop, heappush

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.peers.cluster import Asked, Cluster, place, release

Ints = NDArray[np.int64]


@njit(cache=True)
def run_blocking(cluster: Cluster, asked: Asked, key: Ints, queues: int, start_ms: Ints) -> None:
    """Write the start of every job, taken within its queue in order of (key, job)."""
    heaps = [[(np.int64(0), np.int64(0)) for _ in range(0)] for _ in range(queues)]
    blocked = np.zeros(queues, np.bool_)
    ends = [(np.int64(0), np.int64(0)) for _ in range(0)]
    arrived = 0
    count = len(key)
    while ends or arrived < count:
        now = asked.submit_ms[arrived] if arrived < count else ends[0][0]
        if ends and ends[0][0] < now:
            now = ends[0][0]
        while ends and ends[0][0] == now:
            _, job = heappop(ends)
            cell = cluster.job_cell[job]
            release(cluster, asked, job)
            _unblock(heaps, blocked, asked, cell)
        while arrived < count and asked.submit_ms[arrived] == now:
            job = np.int64(arrived)
            arrived += 1
            if asked.cells[job] == 0:
                continue
            heap = heaps[asked.queue[job]]
            if not heap or (key[job], job) < heap[0]:
                blocked[asked.queue[job]] = False
            heappush(heap, (key[job], job))
        _start_heads(cluster, asked, heaps, blocked, ends, start_ms, now)


@njit(cache=True)
def _unblock(heaps, blocked, asked, cell):
    for queue in range(len(heaps)):
        if blocked[queue] and asked.cells[heaps[queue][0][1]] >> cell & 1:
            blocked[queue] = False


@njit(cache=True)
def _start_heads(cluster, asked, heaps, blocked, ends, start_ms, now):
    while True:
        best = -1
        for queue in range(len(heaps)):
            if heaps[queue] and not blocked[queue] and (best < 0 or heaps[queue][0] < heaps[best][0]):
                best = queue
        if best < 0:
            return
        job = heaps[best][0][1]
        if place(cluster, asked, job, asked.cells[job]):
            heappop(heaps[best])
            start_ms[job] = now
            heappush(ends, (now + asked.duration_ms[job], job))
        else:
            blocked[best] = True
