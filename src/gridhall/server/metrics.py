"""Metrics in the text form that Prometheus reads: counts of what happened since the start, gauges of what is now.

A scrape reads columns of the state by mask and never walks over jobs. It names sites, feeds and engines, never a
tenant: whoever reaches the port may read it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gridhall.scheduling.jobs import QUEUED, RUNNING, STOPPING
from gridhall.scheduling.pauses import STANDING
from gridhall.server.live.draft import Draft
from gridhall.server.live.service import Service
from gridhall.server.live.world import World
from gridhall.server.views.capacity import capacity
from gridhall.server.views.queues import waiting_by_reason

COMMIT_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
"""Bounds of the buckets for the time of a transaction."""
STATES = {QUEUED: "queued", RUNNING: "running", STOPPING: "stopping"}
GPU_STATUS = ("up", "used", "free", "held", "out")


@dataclass
class Metrics:
    """The metrics of one running service."""

    service: Service
    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=False))

    def __post_init__(self) -> None:
        about = "Time of a transaction, full sync included."
        self._commit_s = Histogram("gridhall_commit_seconds", about, buckets=COMMIT_S, registry=self.registry)
        self._finished = Counter("gridhall_jobs_finished", "Jobs that ended.", ["state"], registry=self.registry)
        self.registry.register(_Now(self.service))
        ProcessCollector(registry=self.registry)

    def hear(self, draft: Draft) -> None:
        """Count what has become durable."""
        if not draft.empty:
            self._commit_s.observe(draft.commit_s)
        for job in chain(draft.new_jobs.values(), draft.changed_jobs.values()):
            if job.slot < 0:
                self._finished.labels(job.state).inc()

    def text(self) -> bytes:
        """What a scrape gets."""
        return generate_latest(self.registry)


def open_metrics(service: Service) -> Metrics:
    """Metrics that follow a running service."""
    metrics = Metrics(service)
    service.loop.on_durable.append(metrics.hear)
    return metrics


class _Now(Collector):
    """Everything that is read when it is asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Every family, with its samples."""
        yield from _work(self._service.world)
        yield from _sites(self._service.world)
        yield from _controller(self._service)
        yield from _engines(self._service)


def _work(world: World) -> Iterator[Metric]:
    states, still = world.state.view("job_state"), world.state.view("job_still") == STANDING
    counts = np.bincount(states[~still], minlength=1 + max(STATES))
    jobs = GaugeMetricFamily("gridhall_jobs", "Jobs that wait or have nodes.", labels=["state"])
    for state, word in STATES.items():
        jobs.add_metric([word], int(counts[state]))
    jobs.add_metric(["paused"], int(still.sum()))
    waiting = GaugeMetricFamily("gridhall_queue_jobs", "Jobs that wait, by reason.", labels=["reason"])
    for reason, count in waiting_by_reason(world.state).items():
        waiting.add_metric([reason], count)
    yield from (jobs, waiting)


def _sites(world: World) -> Iterator[Metric]:
    fleet, w = world.fleet, world.state
    gpus = GaugeMetricFamily("gridhall_gpus", "GPUs by status.", labels=["site", "status"])
    nodes = GaugeMetricFamily("gridhall_nodes", "Nodes, all and up.", labels=["site", "status"])
    committed = GaugeMetricFamily("gridhall_power_committed_watts", "Committed power.", labels=["site", "feed"])
    limit = GaugeMetricFamily("gridhall_power_limit_watts", "Limit of a feed.", labels=["site", "feed"])
    for place, site in enumerate(fleet.fleet.sites):
        found = capacity(fleet, w, fleet.site_racks[place])
        gpus.add_metric([site.id, "all"], found.gpus)
        for status in GPU_STATUS:
            gpus.add_metric([site.id, status], getattr(found, f"gpus_{status}"))
        nodes.add_metric([site.id, "all"], found.nodes)
        nodes.add_metric([site.id, "up"], found.nodes_up)
    for place in np.flatnonzero(fleet.arrays.power_parent < 0).tolist():
        labels = [fleet.fleet.sites[int(fleet.arrays.power_site[place])].id, fleet.arrays.power_names[place]]
        committed.add_metric(labels, int(w.power_committed_w[place]))
        limit.add_metric(labels, int(w.power_limit_w[place]))
    yield from (gpus, nodes, committed, limit)


def _controller(service: Service) -> Iterator[Metric]:
    loop = service.loop
    age_s = (loop.now_ms() - service.snapshot_ms) / 1000
    yield CounterMetricFamily("gridhall_decisions", "Events decided since the store was made.", service.world.decisions)
    yield CounterMetricFamily("gridhall_rebuilds", "Times the world was read from the store again.", service.rebuilds)
    yield GaugeMetricFamily("gridhall_read_only", "1 while nothing is written.", int(bool(loop.stopped)))
    yield GaugeMetricFamily("gridhall_epoch", "Epoch of the controller that leads.", service.lead.epoch)
    yield GaugeMetricFamily("gridhall_ledger_entries", "Entries in the log.", loop.log.size)
    yield GaugeMetricFamily("gridhall_snapshot_age_seconds", "Age of the last snapshot.", age_s)


def _engines(service: Service) -> Iterator[Metric]:
    reports = CounterMetricFamily("gridhall_engine_reports", "Reports of engines.", labels=["engine", "kind"])
    for (engine, kind), count in sorted(service.heard.items()):
        reports.add_metric([engine, kind], count)
    orders = service.carrier.waiting
    yield reports
    yield GaugeMetricFamily("gridhall_orphans", "Attempts on engines that nobody decided.", len(service.drift.orphans))
    yield GaugeMetricFamily("gridhall_orders_waiting", "Jobs with an order that no engine has taken on yet.", orders)
