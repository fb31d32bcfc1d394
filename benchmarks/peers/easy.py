"""EASY back-filling (Lifka 1995) on a fleet of many cells, by GPU count and by the users' limits.

Waiting jobs are walked in order of submission. One that fits starts. The first one that does not fit in a cell it may
use holds that cell's only reservation: the time at which, if every running job takes its whole limit, the cell has as
many free GPUs as it needs (`shadow`), and how many are left over then (`spare`). A later job may start in a reserved
cell only if its own limit ends by the shadow, or if it takes no more than the spare. A job that may use several cells
reserves the one that promises it the earliest start. On one cell this is EASY as published.

GPUs are counted, wherever they are in the cell: this is what plain EASY does, and why it lets large gangs starve on
scattered free GPUs.
"""

from heapq import heappop, heappush

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.peers.cluster import Asked, Cluster, place, release
from benchmarks.peers.running import Running, Waiting, begin, dequeue, end, enqueue

Ints = NDArray[np.int64]
NOBODY = -1


@njit(cache=True)
def run_easy(cluster: Cluster, asked: Asked, running: Running, waiting: Waiting, start_ms: Ints) -> None:
    """Write the start of every job; `waiting` is in order of submission."""
    shapes = asked.shape.max() + 1
    failed = np.zeros(shapes, np.int64)
    ends = [(np.int64(0), np.int64(0)) for _ in range(0)]
    arrived = 0
    instant = 0
    count = len(asked.submit_ms)
    while ends or arrived < count:
        now = asked.submit_ms[arrived] if arrived < count else ends[0][0]
        if ends and ends[0][0] < now:
            now = ends[0][0]
        while ends and ends[0][0] == now:
            _, job = heappop(ends)
            end(running, cluster.job_cell[job], start_ms[job] + asked.limit_ms[job], job)
            release(cluster, asked, job)
        while arrived < count and asked.submit_ms[arrived] == now:
            if asked.cells[arrived]:
                enqueue(waiting, arrived)
            arrived += 1
        instant += 1
        _pass(cluster, asked, running, waiting, start_ms, ends, failed, now, instant)


@njit(cache=True)
def _pass(cluster, asked, running, waiting, start_ms, ends, failed, now, instant):
    cells = len(cluster.free_nodes)
    shadow = np.zeros(cells, np.int64)
    spare = np.zeros(cells, np.int64)
    open_cells = (1 << cells) - 1
    anchor = len(waiting.key)
    job = waiting.after[anchor]
    while job != anchor:
        usable = asked.cells[job] & open_cells
        if failed[asked.shape[job]] != instant:
            for cell in range(cells):
                harmless = now + asked.limit_ms[job] <= shadow[cell] or asked.total_milli[job] <= spare[cell]
                if asked.cells[job] & ~open_cells & (1 << cell) and harmless:
                    usable |= 1 << cell
            if usable and place(cluster, asked, job, usable):
                _begin(cluster, asked, running, waiting, start_ms, ends, now, job)
                cell = cluster.job_cell[job]
                if now + asked.limit_ms[job] > shadow[cell]:
                    spare[cell] -= asked.total_milli[job]
                job = waiting.after[job]
                continue
            if usable == asked.cells[job]:
                failed[asked.shape[job]] = instant
        if asked.cells[job] & open_cells:
            cell, when, left = _reserve(cluster, asked, running, job, asked.cells[job] & open_cells, now)
            shadow[cell] = when
            spare[cell] = left
            open_cells &= ~(1 << cell)
        job = waiting.after[job]


@njit(cache=True)
def _begin(cluster, asked, running, waiting, start_ms, ends, now, job):
    dequeue(waiting, job)
    start_ms[job] = now
    begin(running, cluster.job_cell[job], now + asked.limit_ms[job], job)
    heappush(ends, (now + asked.duration_ms[job], np.int64(job)))


@njit(cache=True)
def _reserve(cluster, asked, running, job, cells, now):
    """(cell, shadow, spare) of the earliest start that one of the cells promises."""
    best = -1
    best_when = 0
    best_left = 0
    for cell in range(len(cluster.free_nodes)):
        if cells >> cell & 1:
            when, left = _promise(cluster, asked, running, job, cell, now)
            if best < 0 or when < best_when:
                best, best_when, best_left = cell, when, left
    return best, best_when, best_left


@njit(cache=True)
def _promise(cluster, asked, running, job, cell, now):
    """When the cell has enough free GPUs if all take their limits, and how many are left over then."""
    free = cluster.free_milli[cell]
    when = now
    place = running.first[cell]
    last = place + running.count[cell]
    while place < last and (free < asked.total_milli[job] or running.key[place] <= when):
        when = max(now, running.key[place])
        free += asked.total_milli[running.job[place]]
        place += 1
    return when, free - asked.total_milli[job]
