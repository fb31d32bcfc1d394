"""Shortest first with an oracle: every job's true duration is known at its submission.

Waiting jobs are walked in order of remaining time, and whatever fits starts. With `stop`, a job that does not fit takes
the place of running jobs that have longer to go, the longest first, in the first allowed cell where they make enough
room; they go back to waiting, resume without loss and may do so elsewhere at the same instant. No scheduler that must
learn durations, or pays for a stop, can be expected to reach that.
"""

from heapq import heappop, heappush

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.peers.cluster import GPU_MILLI, Asked, Cluster, nodes_of, place, release
from benchmarks.peers.running import Running, Waiting, begin, dequeue, end, enqueue

Ints = NDArray[np.int64]


@njit(cache=True)
def run_shortest(
    cluster: Cluster,
    asked: Asked,
    running: Running,
    waiting: Waiting,
    stop: bool,
    start_ms: Ints,
    end_ms: Ints,
) -> int:
    """Write first start and end of every job; returns the number of stops. `waiting.key` is the remaining time."""
    failed = np.zeros(asked.shape.max() + 1, np.int64)
    freed = np.zeros((len(cluster.users), 4), np.int64)
    ends = [(np.int64(0), np.int64(0)) for _ in range(0)]
    arrived = 0
    instant = 0
    stops = 0
    count = len(asked.submit_ms)
    while ends or arrived < count:
        now = asked.submit_ms[arrived] if arrived < count else ends[0][0]
        if ends and ends[0][0] < now:
            now = ends[0][0]
        while ends and ends[0][0] == now:
            _, job = heappop(ends)
            if cluster.job_cell[job] >= 0 and end_ms[job] == now:
                end(running, cluster.job_cell[job], now, job)
                release(cluster, asked, job)
        while arrived < count and asked.submit_ms[arrived] == now:
            if asked.cells[arrived]:
                enqueue(waiting, arrived)
            arrived += 1
        instant += 1
        stops += _pass(cluster, asked, running, waiting, stop, start_ms, end_ms, ends, failed, freed, now, instant)
    return stops


@njit(cache=True)
def _pass(cluster, asked, running, waiting, stop, start_ms, end_ms, ends, failed, freed, now, instant):
    """Start what fits. A shape that failed is not tried again at this instant: later jobs have longer to go."""
    stops = 0
    anchor = len(waiting.key)
    job = waiting.after[anchor]
    while job != anchor:
        if failed[asked.shape[job]] != instant:
            placed = place(cluster, asked, job, asked.cells[job])
            if not placed and stop:
                victims = _victims(cluster, asked, running, freed, now + waiting.key[job], job)
                stops += len(victims)
                for victim in victims:
                    _stop(cluster, asked, running, waiting, end_ms, now, victim)
                placed = len(victims) > 0 and place(cluster, asked, job, asked.cells[job])
            if placed:
                dequeue(waiting, job)
                start_ms[job] = now if start_ms[job] < 0 else start_ms[job]
                end_ms[job] = now + waiting.key[job]
                begin(running, cluster.job_cell[job], end_ms[job], job)
                heappush(ends, (end_ms[job], np.int64(job)))
            else:
                failed[asked.shape[job]] = instant
        job = waiting.after[job]
    return stops


@njit(cache=True)
def _stop(cluster, asked, running, waiting, end_ms, now, job):
    end(running, cluster.job_cell[job], end_ms[job], job)
    release(cluster, asked, job)
    waiting.key[job] = end_ms[job] - now
    enqueue(waiting, job)


@njit(cache=True)
def _victims(cluster, asked, running, freed, until, job):
    """Jobs that end after `until` and whose places together hold the job; empty when no cell has enough of them."""
    for cell in range(len(cluster.free_nodes)):
        if asked.cells[job] >> cell & 1:
            if asked.gpus[job] > cluster.gpus_per_node[cell]:
                found = _victims_for_gang(cluster, asked, running, freed, until, job, cell)
            else:
                found = _victims_on_node(cluster, asked, running, freed, until, job, cell)
            if len(found) > 0:
                return found
    return [np.int64(0) for _ in range(0)]


@njit(cache=True)
def _victims_for_gang(cluster, asked, running, freed, until, job, cell):
    """Longest first, until enough whole nodes are free: other gangs, and open nodes all of whose users are stopped."""
    first = running.first[cell]
    last = first + running.count[cell]
    needed = nodes_of(cluster, asked, job, cell) - cluster.free_nodes[cell]
    place = last
    while needed > 0 and place > first and running.key[place - 1] > until:
        place -= 1
        node = cluster.job_node[running.job[place]]
        if node < 0:
            needed -= nodes_of(cluster, asked, running.job[place], cell)
        else:
            freed[node, 0] += 1
            needed -= 1 if freed[node, 0] == cluster.users[node] else 0
    found = [np.int64(0) for _ in range(0)]
    for index in range(place, last):
        node = cluster.job_node[running.job[index]]
        if needed <= 0 and (node < 0 or freed[node, 0] == cluster.users[node]):
            found.append(running.job[index])
    _forget(cluster, running, freed, place, last)
    return found


@njit(cache=True)
def _victims_on_node(cluster, asked, running, freed, until, job, cell):
    """Longest first, until one node has room: a gang's node, or an open node with what its stopped users leave."""
    first = running.first[cell]
    last = first + running.count[cell]
    place = last
    found = [np.int64(0) for _ in range(0)]
    while len(found) == 0 and place > first and running.key[place - 1] > until:
        place -= 1
        victim = running.job[place]
        node = cluster.job_node[victim]
        if node < 0:
            found.append(victim)
        elif _leaves_room(cluster, asked, freed, job, victim, node):
            for index in range(place, last):
                if cluster.job_node[running.job[index]] == node:
                    found.append(running.job[index])
    _forget(cluster, running, freed, place, last)
    return found


@njit(cache=True)
def _leaves_room(cluster, asked, freed, job, victim, node):
    """Count the victim as stopped; whether the job then fits its node."""
    freed[node, 0] += 1
    freed[node, 1] += asked.gpus[victim] if asked.milli[victim] == GPU_MILLI else 0
    freed[node, 2] += asked.cpu[victim]
    freed[node, 3] += asked.mem[victim]
    if freed[node, 0] == cluster.users[node]:
        return True
    if cluster.free_cpu[node] + freed[node, 2] < asked.cpu[job]:
        return False
    if cluster.free_mem[node] + freed[node, 3] < asked.mem[job]:
        return False
    if cluster.free_gpus[node] + freed[node, 1] >= asked.gpus[job]:
        return True
    slot = cluster.job_slot[victim]
    return slot >= 0 and cluster.share_left[slot] + asked.milli[victim] >= asked.milli[job]


@njit(cache=True)
def _forget(cluster, running, freed, place, last):
    for index in range(place, last):
        node = cluster.job_node[running.job[index]]
        if node >= 0:
            freed[node, :] = 0
