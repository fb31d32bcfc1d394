"""What is allocated now: its intervals, made one by one as they are asked for, and their sums.

The sums are taken over the columns of the state, thousands of attempts at the cost of a few. They are exactly those of
the intervals.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gridhall.kernel import Ints
from gridhall.money.intervals import UsageInterval
from gridhall.scheduling.jobs import RUNNING, STOPPING
from gridhall.server.live.world import World
from gridhall.server.queries.intervals import Span, Sum, UsageFilter
from gridhall.server.views.usage import sums_of, within_span
from gridhall.server.views.uses import May
from gridhall.work import TIERS


def open_sums(world: World, may: May, wanted: UsageFilter, span: Span) -> list[Sum]:
    """Sums of what goes on within a span."""
    known = [place for place, name in enumerate(world.fleet.arrays.site_names) if name in world.energy]
    slots = _slots(world, may, wanted, span)
    of_known = np.isin(world.fleet.arrays.cell_site[world.state.view("job_cell")[slots]], known)
    return [*_without_carbon(world, slots[~of_known], span), *sums_of(_intervals(world, slots[of_known], span))]


def open_intervals(world: World, may: May, wanted: UsageFilter, span: Span, after: int = 0) -> Iterator[UsageInterval]:
    """What goes on within a span, in the order of the jobs' numbers, of jobs with a number above `after`."""
    return _intervals(world, _slots(world, may, wanted, span), span, after)


def _intervals(world: World, slots: Ints, span: Span, after: int = 0) -> Iterator[UsageInterval]:
    numbers = np.sort(world.state.view("job_id")[slots])
    later: list[int] = numbers[numbers > after].tolist()
    for job in (world.jobs[number] for number in later if number in world.jobs):
        attempt = job.open_attempt
        if attempt is not None and attempt.decided_ms < span.until_ms:
            yield within_span(world.meters.interval(job, attempt, span.until_ms), span, world.meters)


def _slots(world: World, may: May, wanted: UsageFilter, span: Span) -> Ints:
    """The slots of the attempts that are meant."""
    w, arrays = world.state, world.fleet.arrays
    running = np.isin(w.view("job_state"), (RUNNING, STOPPING)) & (w.view("job_start_ms") < span.until_ms)
    slots = np.flatnonzero(running)
    cell = w.view("job_cell")[slots]
    asked = np.zeros(len(w.view("project_org")), dtype=bool)
    for project in world.directory.all("project", deleted=True):
        asked[project.number] = may(project.organisation, project.id)
    meant = asked[w.view("job_project")[slots]]
    if wanted.site:
        meant &= np.array(arrays.site_names)[arrays.cell_site[cell]] == wanted.site
    if wanted.sku:
        meant &= np.array(arrays.hw_names)[arrays.cell_hw[cell]] == wanted.sku
    if wanted.tier:
        meant &= np.array(TIERS)[w.view("job_tier")[slots]] == wanted.tier
    if wanted.job is not None:
        meant &= w.view("job_id")[slots] == wanted.job
    return slots[meant]


def _without_carbon(world: World, slots: Ints, span: Span) -> Iterator[Sum]:
    """Of sites of whose grid nothing is known: their carbon is assumed to be 0."""
    w, groups = world.state, _groups(world, slots)
    start = np.maximum(w.view("job_start_ms")[slots], span.from_ms)
    milli = w.view("job_node_gpus")[slots] * w.view("job_gpu_milli")[slots] * w.view("job_nodes")[slots]
    times = _added(groups, milli * (span.until_ms - start))
    energy = _added(groups, _energy_mj(_site_milliwatt(world, slots), start, span.until_ms))
    for key, attempts, gpu_time, joules in zip(groups.keys, groups.attempts, times, energy, strict=True):
        yield Sum((*_names(world, *key), "declared", "assumed"), attempts, gpu_time, joules, 0)


@dataclass(frozen=True)
class _Groups:
    """Attempts by project, cell and tier: the keys, the number of attempts of each, and the group of each slot."""

    keys: list[list[int]]
    attempts: list[int]
    of_slot: Ints


def _groups(world: World, slots: Ints) -> _Groups:
    columns = [world.state.view(name)[slots] for name in ("job_project", "job_cell", "job_tier")]
    keys, of_slot = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    places = of_slot.reshape(-1)
    return _Groups(keys.tolist(), np.bincount(places, minlength=len(keys)).tolist(), places)


def _added(groups: _Groups, values: Ints) -> list[int]:
    total = np.zeros(len(groups.keys), dtype=np.int64)
    np.add.at(total, groups.of_slot, values)
    return total.tolist()


def _site_milliwatt(world: World, slots: Ints) -> Ints:
    """Watts of each allocation times the overhead of its site in 1/1000."""
    w, arrays = world.state, world.fleet.arrays
    cell = w.view("job_cell")[slots]
    milli = w.view("job_node_gpus")[slots] * w.view("job_gpu_milli")[slots]
    idle_w = w.view("cell_node_idle_w")[cell] * milli // (1000 * arrays.hw_gpus_per_node[arrays.cell_hw[cell]])
    node_w = idle_w + w.view("job_node_w")[slots]
    return node_w * w.view("job_nodes")[slots] * arrays.site_pue_milli[arrays.cell_site[cell]]


def _energy_mj(milliwatt: Ints, start: Ints, until_ms: int) -> Ints:
    """As `exact.flow` with the divisor 1000, whole seconds and the rest apart, so that nothing overflows."""
    whole = milliwatt * (until_ms // 1000 - start // 1000)
    return whole + milliwatt * (until_ms % 1000) // 1000 - milliwatt * (start % 1000) // 1000


def _names(world: World, project: int, cell: int, tier: int) -> tuple[str, ...]:
    """The names of a group in the order of `intervals.GROUP`."""
    arrays = world.fleet.arrays
    owner = next(each for each in world.directory.all("project", deleted=True) if each.number == project)
    site, hardware = int(arrays.cell_site[cell]), int(arrays.cell_hw[cell])
    place = (arrays.site_names[site], arrays.site_country[site], arrays.hw_names[hardware])
    return (owner.organisation, owner.id, *place, TIERS[tier])
