"""Where waits pull against each other: `python -m benchmarks.tradeoff`.

Nodes that stand free in holds bring the largest gangs in, and everyone else waits for it. The curve runs the shipped
policy over the generated workload with other bounds on that idle share, and with other spreads, everything else equal;
`chosen` marks what ships. A shorter span than the year of `benchmarks.queue`, without failures, as there.
"""

import argparse
import sys
from dataclasses import asdict, dataclass

from benchmarks.common import emit
from benchmarks.contended import Case, generated
from benchmarks.queue import SPREAD, figures, run_ours
from gridhall.scheduling.policy import Policy, load_policy
from gridhall.units import DAY_MS

IDLE_SHARES = (0.0, 0.03, 0.06, 0.12, 0.24)
SPREADS = (1.0, 1.5, 4.0)


@dataclass(frozen=True)
class Point:
    """One policy and what it made of the jobs."""

    idle_share: float
    spread: float
    chosen: bool
    mean_wait_s: float
    p99_wait_s: float
    gang_8192_wait_h: float | None
    gang_512_racks: float


def variants(shipped: Policy) -> list[Policy]:
    """The shipped policy with one number changed at a time."""
    holds = [shipped.holds.model_copy(update={"idle_share": share}) for share in IDLE_SHARES]
    places = [shipped.placement.model_copy(update={"spread": spread}) for spread in SPREADS]
    return [shipped.model_copy(update={"holds": each}) for each in holds] + [
        shipped.model_copy(update={"placement": each}) for each in places
    ]


def point(case: Case, policy: Policy, shipped: Policy) -> Point:
    """Run one policy."""
    ours = run_ours(case, policy, int(case.table.submit_ms[-1]) + 30 * DAY_MS)
    row = figures(case, ours.end_ms, ours.wait_ms, ours.held)
    racks = ours.racks[(case.table.gpus == SPREAD) & (ours.racks > 0)]
    return Point(
        policy.holds.idle_share,
        policy.placement.spread,
        policy == shipped,
        row.mean_wait_s,
        row.p99_wait_s,
        row.gang_8192_wait_h,
        round(float(racks.mean()), 2),
    )


def main(days: int) -> int:
    """Print the curve, then one JSON line."""
    shipped = load_policy()
    case = generated(days)
    print(f"{len(case.table):,} jobs in {days} days on {case.fleet.gpus:,} GPUs; {case.source.origin}")
    print("idle share  spread   mean wait s    p99 wait s  8,192 GPUs h  512 GPUs, racks")
    curve: list[Point] = []
    for policy in variants(shipped):
        found = point(case, policy, shipped)
        curve.append(found)
        mark = " <- ships" if found.chosen else ""
        large = "-" if found.gang_8192_wait_h is None else f"{found.gang_8192_wait_h:.1f}"
        print(
            f"{found.idle_share:10.2f}  {found.spread:6.2f}  {found.mean_wait_s:12,.0f}  {found.p99_wait_s:12,.0f}"
            f"  {large:>12}  {found.gang_512_racks:15.2f}{mark}"
        )
    emit({"curve": [asdict(each) for each in curve], "days": days}, shipped)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Trade-off of the shipped policy.")
    parser.add_argument("--days", type=int, default=120, help="span of the generated workload")
    sys.exit(main(parser.parse_args().days))
