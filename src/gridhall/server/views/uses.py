"""Who uses a node: the jobs on it, and what a caller may be told of them."""

from collections.abc import Callable, Iterator

import numpy as np

from gridhall.controller.state import ControllerState
from gridhall.fleet.arrays import MAX_GPUS_PER_NODE
from gridhall.scheduling.jobs import RUNNING, STOPPING
from gridhall.server.live.work import Job
from gridhall.server.live.world import World
from gridhall.server.objects.fleet import NodeUse

May = Callable[[str, str], bool]
"""Whether the caller may read what belongs to an organisation and a project."""
SharedUses = dict[int, list[tuple[int, int]]]
"""Slots in the shared pool with the number of GPUs that each has a share of, by node."""


def node_uses(world: World, node: int, shared: SharedUses, may: May) -> tuple[NodeUse, ...]:
    """The jobs on a node; work that the caller may not read is one entry without names."""
    seen: list[NodeUse] = []
    others = 0
    for slot, gpus in _slots(world.state, node, shared):
        job = world.jobs.get(int(world.state.job_id[slot]))
        if job is not None and may(job.organisation, job.project):
            seen.append(NodeUse(job=job.id, project=job.project, gpus=gpus))
        else:
            others += gpus
    return (*seen, NodeUse(job="", project="", gpus=others)) if others else tuple(seen)


def _slots(w: ControllerState, node: int, shared: SharedUses) -> Iterator[tuple[int, int]]:
    whole = int(w.node_job[node])
    if whole:
        yield whole - 1, int(w.node_used[node])
    elif w.node_shared[node]:
        yield from shared.get(node, ())
    elif w.node_used[node]:
        holders = w.view("gpu_job")[node * MAX_GPUS_PER_NODE : (node + 1) * MAX_GPUS_PER_NODE]
        for holder, gpus in zip(*np.unique(holders[holders > 0], return_counts=True), strict=True):
            yield int(holder) - 1, int(gpus)


def shared_uses(w: ControllerState) -> SharedUses:
    """Who has shares where in the shared pool."""
    found: SharedUses = {}
    if not w.pool_count[0]:
        return found
    running = np.isin(w.view("job_state"), (RUNNING, STOPPING)) & (w.view("job_chunk") > 0)
    slots: list[int] = np.flatnonzero(running & (w.view("job_nodes") == 1)).tolist()
    for slot in slots:
        chunk = int(w.job_chunk[slot]) - 1
        node = int(w.rack_node0[w.chunk_rack[chunk]]) + int(w.chunk_mask[chunk]).bit_length() - 1
        if w.node_shared[node]:
            found.setdefault(node, []).append((slot, int(w.job_node_gpus[slot])))
    return found


def running_jobs(world: World) -> Iterator[Job]:
    """Every job that has nodes now."""
    w = world.state
    slots = np.flatnonzero(np.isin(w.view("job_state"), (RUNNING, STOPPING)))
    numbers: list[int] = w.view("job_id")[slots].tolist()
    return (world.jobs[number] for number in numbers if number in world.jobs)
