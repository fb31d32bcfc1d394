"""An independent meter to hold the server's to: the core's effects in, usage intervals out.

It reads the rows that the core writes when GPUs change hands: START with its PLACE rows opens an interval, RELEASE or
the START of a job's next attempt (a node swapped in place) closes it. What is open can be listed as if it ended now, or
cut at a time; neither changes a sum. The meter knows no more than the effects and the facts that it is handed, so a
replay of the ledger gives the same intervals with the same ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gridhall.money.intervals import Cause, UsageInterval

START, PLACE, RELEASE = 3, 4, 6
"""Kinds of effects as they stand in the ledger; this room does not know the core that numbers them."""
CAUSES: tuple[Cause, ...] = ("start", "restart", "swap")


@dataclass(frozen=True, slots=True)
class CellFacts:
    """One kind of node at one site: what it is sold as, and what it draws. `gpu_span_w` is a GPU's draw above idle."""

    site: str
    country: str
    sku: str
    gpus_per_node: int
    node_idle_w: int
    gpu_span_w: int


@dataclass(frozen=True, slots=True)
class JobFacts:
    """Whose a job is and what it asked for; `gpu_milli` is its share of each GPU, `power_milli` of the GPU's span."""

    organisation: str
    project: str
    tier: str
    gpus: int
    gpu_milli: int
    power_milli: int


class Meter:
    """Open intervals by job. `opened` are those of an earlier meter (`Meter.open_at` of any time), to go on from."""

    def __init__(self, cells: Sequence[CellFacts], opened: Iterable[UsageInterval] = ()) -> None:
        self._cells = cells
        self._open = {each.job: each for each in opened}

    def take(self, effects: Iterable[Sequence[int]], jobs: Mapping[int, JobFacts]) -> list[UsageInterval]:
        """Read effect rows in order; the intervals that they close. `jobs` must know every job that starts."""
        closed: list[UsageInterval] = []
        cell = 0
        for kind, time_ms, job, _, attempt, a, b, c in effects:
            if kind == START:
                closed += self._close(job, time_ms)
                cell = a
                self._open[job] = opening(job, attempt, time_ms, CAUSES[c & 7], self._cells[cell], jobs[job])
            elif kind == PLACE:
                self._open[job] = with_nodes(self._open[job], self._cells[cell], jobs[job], b, c)
            elif kind == RELEASE:
                closed += self._close(job, time_ms)
        return closed

    def open_at(self, time_ms: int) -> list[UsageInterval]:
        """What is open, as if it ended at a time; an interval that opened later is left out."""
        return [replace(each, end_ms=time_ms) for each in self._open.values() if each.start_ms < time_ms]

    def cut(self, time_ms: int) -> list[UsageInterval]:
        """Close everything open at a time and open it again from there; the intervals closed."""
        closed = self.open_at(time_ms)
        for each in closed:
            self._open[each.job] = replace(each, start_ms=time_ms, cause="cut")
        return closed

    def _close(self, job: int, time_ms: int) -> list[UsageInterval]:
        """A job's open interval, ended; nothing where there is none or it had no length."""
        opened = self._open.pop(job, None)
        return [] if opened is None or time_ms <= opened.start_ms else [replace(opened, end_ms=time_ms)]


def opening(job: int, attempt: int, time_ms: int, cause: Cause, cell: CellFacts, facts: JobFacts) -> UsageInterval:
    """An interval of no length and no GPUs: its nodes follow."""
    return UsageInterval(
        job=job,
        attempt=attempt,
        organisation=facts.organisation,
        project=facts.project,
        site=cell.site,
        country=cell.country,
        sku=cell.sku,
        tier=facts.tier,
        state="allocated",
        start_ms=time_ms,
        end_ms=time_ms,
        gpu_milli=0,
        draw_w=0,
        cause=cause,
    )


def with_nodes(opened: UsageInterval, cell: CellFacts, job: JobFacts, nodes: int, gpus: int) -> UsageInterval:
    """The interval with some nodes of one rack more (a mask), and the GPUs (a mask) that it has on each."""
    taken_milli = gpus.bit_count() * job.gpu_milli
    idle_w = cell.node_idle_w * taken_milli // (1000 * cell.gpus_per_node)
    busy = min(job.gpus, cell.gpus_per_node) * job.gpu_milli
    charged_w = busy * cell.gpu_span_w * job.power_milli // 1_000_000
    count = nodes.bit_count()
    return replace(
        opened,
        gpu_milli=opened.gpu_milli + count * taken_milli,
        draw_w=opened.draw_w + count * (idle_w + charged_w),
    )
