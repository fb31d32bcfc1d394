"""Runs the twin: builds controller and world, feeds the compiled loop, and streams its tables to a sink."""

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from gridhall.controller import events as ev
from gridhall.controller.events import EVENT_WIDTH
from gridhall.controller.record import Recorder, effect_digest
from gridhall.controller.state import ControllerState, grow_state, new_state
from gridhall.engines.twin import loop
from gridhall.engines.twin.faults import Faults, fault_windows
from gridhall.engines.twin.heap import plan_entry
from gridhall.engines.twin.settings import OnProgress, Plan, Progress, Totals, WorldSettings
from gridhall.engines.twin.tables import STATES, TABLES, Sink
from gridhall.engines.twin.world import H_GIVEN, H_NODE_OUT, H_NODE_UP, LOST_NAMES, WorldColumns
from gridhall.fleet.arrays import FOREVER_MS, MAX_GPUS_PER_NODE
from gridhall.kernel import Ints
from gridhall.scheduling.decisions import COUNTER_NAMES
from gridhall.scheduling.sharing import TypicalPods, typical_pods
from gridhall.work.table import JobTable, Workload

ROWS = 16_384
"""Arrivals in the inbox at one time; small, because a fork copies it."""
FAULT_ROWS = 24_576
BUFFERS = {"out_jobs": 16_384, "out_intervals": 16_384, "out_power": 32_768, "out_queue": 256, "out_fleet": 2_048}
FAR_MS = 1 << 61


@dataclass
class Twin:
    """A twin under way: the controller's state, the world, and the streams that feed it."""

    plan: Plan
    controller: ControllerState
    world: WorldColumns
    jobs: Iterator[JobTable]
    faults: Iterator[Faults]
    recorder: Recorder | None = None

    def fork(self) -> Self:
        """An independent twin in the same state with the same arrivals and failures to come; it records nothing."""
        self.jobs, jobs = itertools.tee(self.jobs)
        self.faults, faults = itertools.tee(self.faults)
        other = type(self)(self.plan, self.controller.fork(), self.world.fork(), jobs, faults)
        other.world.recording[0] = 0
        return other

    def advance(self, until_ms: int, sink: Sink | None) -> None:
        """Run to a time; batches of tables go to the sink, or nowhere."""
        while True:
            wants = loop.run_until(self.controller.handle, self.world.handle, until_ms)
            if wants == loop.REACHED:
                return
            if wants == loop.WANTS_JOBS:
                load_jobs(self.world, next(self.jobs, None), self.plan)
            elif wants == loop.WANTS_FAULTS:
                load_faults(self.world, next(self.faults, None))
            elif wants == loop.WANTS_FLUSH:
                self.flush(sink)
            else:
                self.grow()

    def flush(self, sink: Sink | None) -> None:
        """Empty the output buffers and the recording."""
        v = self.world
        for place, (table, names) in enumerate(TABLES.items()):
            count = int(v.out_count[place])
            if count and sink is not None:
                buffer = "out_power" if table == "site_power" else f"out_{table}"
                rows = v.view(buffer)[: count * len(names)].reshape(count, len(names))
                sink.write(table, {name: rows[:, at].copy() for at, name in enumerate(names)})
            v.out_count[place] = 0
        self.flush_record()

    def flush_record(self) -> None:
        """Hand the events so far to the recorder."""
        count = int(self.world.record_count[0])
        if count and self.recorder is not None:
            self.recorder.write(self.world.view("record")[: count * EVENT_WIDTH].reshape(count, EVENT_WIDTH))
        self.world.record_count[0] = 0

    def grow(self) -> None:
        """Twice the room for jobs, in controller and world alike."""
        slots = 2 * self.controller.sizes["slots"]
        if self.recorder is not None:
            self.flush_record()
            self.recorder.grown(int(self.controller.now_ms[0]), slots)
        self.controller = grow_state(self.controller, slots)
        bigger = WorldColumns(self.world.sizes | slot_sizes(slots, self.controller.sizes))
        old = self.world.sizes["chunks"]
        bigger.load(self.world.columns())
        bigger.piece_next[old:] = np.arange(old + 2, bigger.sizes["chunks"] + 2)
        bigger.piece_next[len(bigger.piece_next) - 1] = self.world.piece_free[0]
        bigger.piece_free[0] = old + 1
        set_room(bigger)
        self.world = bigger

    def close(self, sink: Sink | None) -> Totals:
        """Write what is open at the horizon and add everything up."""
        while loop.close_run(self.controller.handle, self.world.handle, self.plan.end_ms) == 1:
            self.flush(sink)
        self.flush(sink)
        return totals(self.controller, self.world)


def run(plan: Plan, sink: Sink | None, on_progress: OnProgress | None = None) -> Totals:
    """Run a plan from start to end."""
    twin = start(plan)
    run_on(twin, plan.end_ms, sink, on_progress)
    result = twin.close(sink)
    if twin.recorder is not None:
        twin.recorder.close(twin.controller)
    return result


def run_on(twin: Twin, until_ms: int, sink: Sink | None, on_progress: OnProgress | None) -> None:
    """Run a twin to a time, with a word about how far it has got two hundred times a run."""
    start_ms, end_ms = twin.plan.start_ms, twin.plan.end_ms
    span = max(1, (end_ms - start_ms) // 200)
    first = max(start_ms, int(twin.controller.now_ms[0])) + span
    for at_ms in [*range(first, until_ms, span), until_ms]:
        twin.advance(at_ms, sink)
        if on_progress is not None:
            done = int(twin.world.state_jobs[2:].sum())
            on_progress(Progress(at_ms, start_ms, end_ms, int(twin.world.submitted[0]), done))


def start(plan: Plan) -> Twin:
    """A twin at the plan's start, with the nodes that are ready from then on planned to join."""
    controller = new_state(plan.fleet, plan.tenancy, plan.policy, typical=typical_work(plan))
    about = {"policy": plan.policy.hash, "tenancy": asdict(plan.tenancy), "seed": plan.seed}
    recorder = Recorder(plan.record, controller, about) if plan.record else None
    world = new_world(plan, controller, recorder is not None)
    faults = fault_windows(plan.world, controller.sizes["nodes"], plan.start_ms, plan.end_ms, plan.seed)
    return Twin(plan, controller, world, inbox_tables(plan.workload), faults, recorder)


def typical_work(plan: Plan) -> TypicalPods | None:
    """What the shared pool is to expect: the jobs of one node among the workload's first ones."""
    table = next(iter(plan.workload.chunks()), None)
    if table is None or not plan.fleet.rack_sharing.any():
        return None
    single = table.take(table.gpus <= MAX_GPUS_PER_NODE)
    cells = allowed_cells(single, plan)
    return typical_pods(single.cpu_milli, single.gpu_milli, single.gpus, cells)


# --- building the world ---------------------------------------------------------------------------------------------


def slot_sizes(slots: int, controller: dict[str, int]) -> dict[str, int]:
    """Sizes of the world that follow the number of slots."""
    return {
        "slots": slots + 1,
        "chunks": controller["chunks"],
        "heap": 6 * slots + 3 * controller["nodes"] + 1024,
    }


def new_world(plan: Plan, controller: ControllerState, recording: bool) -> WorldColumns:
    """The world at the plan's start."""
    same = ("nodes", "racks", "racks_1", "power", "cells")
    sizes = {name: controller.sizes[name] for name in same} | slot_sizes(controller.sizes["slots"], controller.sizes)
    sizes |= BUFFERS | {"rows": ROWS, "faults": FAULT_ROWS, "planned": max(1, len(given_events(plan)))}
    sizes["out_power"] = max(BUFFERS["out_power"], 4 * sizes["power"])
    sizes["record"] = 16_384 if recording else 1
    v = WorldColumns(sizes)
    set_fleet(v, plan, controller)
    set_behaviour(v, plan.world)
    v.recording[0] = int(recording)
    v.piece_next[:-1] = np.arange(2, sizes["chunks"] + 1)
    v.piece_free[0] = 1
    v.minute_ms[0] = plan.start_ms + 60_000
    v.hour_ms[0] = plan.start_ms + 3_600_000
    set_room(v)
    plan_nodes(v, plan)
    plan_given(v, plan)
    return v


def set_behaviour(v: WorldColumns, settings: WorldSettings) -> None:
    """How the world acts from here on."""
    v.start_delay_ms[0], v.restart_delay_ms[0] = settings.start_delay_ms, settings.restart_delay_ms
    v.stop_delay_ms[0], v.draw_milli[0] = settings.stop_delay_ms, settings.draw_milli
    v.pause_delay_ms[0], v.resume_delay_ms[0] = settings.pause_delay_ms, settings.resume_delay_ms
    v.minutes_on[0] = int(settings.power_by_minute)


def set_fleet(v: WorldColumns, plan: Plan, controller: ControllerState) -> None:
    """What the world must know of the fleet."""
    fleet = plan.fleet
    v.sites_of_cells[:], v.hw_of_cells[:] = fleet.cell_site, fleet.cell_hw
    v.cell_gpus[:] = controller.cell_gpus_per_node[:]
    v.cell_idle_w[:], v.cell_span_w[:] = controller.cell_node_idle_w[:], controller.cell_gpu_span_w[:]
    v.cell_of_rack[:], v.rack_first_node[:] = fleet.rack_cell, fleet.rack_node0
    v.rack_of_node[:], v.feed_of_rack[:] = controller.node_rack[:], fleet.rack_feed
    feeds = np.unique(fleet.rack_feed)
    v.feeds[: len(feeds)] = feeds
    v.n_feeds[0], v.n_cells[0], v.n_racks[0] = len(feeds), len(fleet.cell_site), len(fleet.rack_cell)
    for name in ("rack_since_ms", "feed_since_ms", "online_since_ms"):
        v.view(name)[:] = plan.start_ms


def set_room(v: WorldColumns) -> None:
    """Tell the loop how much its buffers hold."""
    sizes = v.sizes
    names = ("out_jobs", "out_intervals", "out_power", "out_queue", "out_fleet", "record", "heap")
    v.room[:7] = [sizes[name] for name in names]
    v.room[7] = sizes["slots"] - 1


def plan_nodes(v: WorldColumns, plan: Plan) -> None:
    """Every node joins when its rack is ready, and leaves when the rack is retired."""
    ready = np.maximum(plan.fleet.rack_ready_from_ms, plan.start_ms)[v.rack_of_node[:]]
    gone = plan.fleet.rack_ready_to_ms[v.rack_of_node[:]]
    nodes = np.arange(len(ready))
    joins = nodes[(ready < plan.end_ms) & (gone > plan.start_ms)]
    leaves = nodes[(gone < min(plan.end_ms, FOREVER_MS)) & (gone > plan.start_ms)]
    times = np.concatenate([ready[joins], gone[leaves]])
    kinds = np.concatenate([np.full(len(joins), H_NODE_UP), np.full(len(leaves), H_NODE_OUT)])
    about = np.concatenate([joins, leaves])
    order = np.lexsort((about, kinds, times))  # a sorted list is a valid heap
    count = len(order)
    v.heap_ms[:count], v.heap_kind[:count], v.heap_a[:count] = times[order], kinds[order], about[order]
    v.heap_b[:count] = (kinds[order] == H_NODE_UP).astype(np.int64)
    v.heap_count[0] = count


def plan_given(v: WorldColumns, plan: Plan) -> None:
    """Reservations are asked for, and load targets begin and end, at their times."""
    for number, fields in enumerate(given_events(plan)):
        v.plan_event[number * EVENT_WIDTH : number * EVENT_WIDTH + len(fields)] = fields
        plan_entry(v.handle, fields[1], H_GIVEN, number, 0)


def given_events(plan: Plan) -> list[tuple[int, ...]]:
    """The events that the plan gives. A simulated engine can pause, and says so where there are load targets."""
    events: list[tuple[int, ...]] = [
        (ev.RESERVE, each.asked_ms, each.project, each.cells, each.nodes, each.from_ms, each.until_ms)
        for each in plan.reservations
    ]
    if plan.targets:
        cells = range(len(plan.fleet.cell_site))
        events += [(ev.ABILITY, plan.start_ms, cell, ev.CAN_PAUSE) for cell in cells]
    for each in plan.targets:
        events.append((ev.TARGET, each.from_ms, each.power, each.limit_w))
        events.append((ev.TARGET, each.until_ms, each.power, -1))
    return events


# --- feeding it -----------------------------------------------------------------------------------------------------


def inbox_tables(workload: Workload) -> Iterator[JobTable]:
    """The workload's jobs in tables that fit the inbox."""
    for table in workload.chunks():
        for first in range(0, len(table), ROWS):
            yield table.take(slice(first, first + ROWS))


def load_jobs(v: WorldColumns, table: JobTable | None, plan: Plan) -> None:
    """Put the next arrivals into the world's inbox; at the end, one that never comes."""
    v.in_next[0] = 0
    if table is None or not len(table):
        v.in_count[0] = 1 if table is None else 0
        v.in_event[1] = FAR_MS
        return
    count = len(table)
    rows = v.view("in_event")[: count * EVENT_WIDTH].reshape(count, EVENT_WIDTH)
    told = event_rows(table, plan)
    rows[:, : told.shape[1]] = told
    v.in_duration_ms[:count] = table.duration_ms
    v.in_outcome[:count] = table.outcome
    v.in_count[0] = count


def event_rows(table: JobTable, plan: Plan) -> Ints:
    """SUBMIT events for a table of jobs: sites and hardware become one mask of cells."""
    cells = allowed_cells(table, plan)
    columns = (
        *(np.full(len(table), ev.SUBMIT), table.submit_ms, table.job_id, table.project, table.user, table.name),
        *(table.priority, table.preemptible, table.tier, table.gpus, table.gpus_per_node, table.gpu_milli),
        *(table.cpu_milli, table.mem_mib, cells, table.limit_ms, table.power_milli, table.checkpoint_ms),
        *(table.checkpoint_cost_ms, table.deadline_ms),
    )
    return np.stack(columns, axis=1).astype(np.int64)


def allowed_cells(table: JobTable, plan: Plan) -> Ints:
    """Sites and hardware of each job as one mask of cells."""
    cells = np.zeros(len(table), dtype=np.int64)
    for cell, (site, hw) in enumerate(zip(plan.fleet.cell_site, plan.fleet.cell_hw, strict=True)):
        cells |= ((table.places >> site) & (table.hardware >> hw) & 1) << cell
    return cells


def load_faults(v: WorldColumns, faults: Faults | None) -> None:
    """Put the next failures into the world's inbox; at the end, one that never comes."""
    v.fault_next[0] = 0
    if faults is None:
        v.fault_count[0], v.fault_ms[0] = 1, FAR_MS
        return
    count = len(faults.time_ms)
    v.fault_ms[:count], v.fault_node[:count], v.fault_repair_ms[:count] = (
        faults.time_ms,
        faults.node,
        faults.repair_ms,
    )
    v.fault_count[0] = count


# --- adding it up ---------------------------------------------------------------------------------------------------


def totals(w: ControllerState, v: WorldColumns) -> Totals:
    """The exact sums of a run."""
    return Totals(
        submitted=int(v.submitted[0]),
        jobs_by_state=dict(zip(STATES, v.state_jobs[:].tolist(), strict=True)),
        online_gpu_ms=int(v.online_gpu_ms[0]),
        allocated_gpu_ms=int(v.allocated_gpu_ms[0]),
        work_gpu_ms=int(v.work_gpu_ms[0]),
        lost_gpu_ms=dict(zip(LOST_NAMES, v.lost_gpu_ms[:].tolist(), strict=True)),
        rack_joules=sum(v.rack_wms[:].tolist()) // 1000,  # W x ms of a large fleet's year pass 64 bits
        feed_joules=int(v.feed_joules[:].sum()),
        job_joules=int(v.job_joules[0]),
        failures=int(v.faults_hit[0]),
        decided=dict(zip(COUNTER_NAMES, w.decided[:].tolist(), strict=True)),
        steps=int(v.steps[0]),
        digest=effect_digest(w),
        state_hash=w.digest(),
        peak_slots=w.sizes["slots"],
    )
