"""How much of a shared-GPU pool can be allocated: `python -m benchmarks.fragmentation`.

The experiment of the FGD paper (Weng et al., USENIX ATC 2023) on its six openb workloads: 1,213 nodes, 6,212 GPUs; the
pods of a workload in random order, then pods drawn at random from it, until the work offered is 130 % of the GPUs;
nothing ever leaves. The measure is GPU share allocated against capacity. Ten seeds, 42 to 51, as published; our shuffle
and draws are our own (Philox), the published ones cannot be had without running the Go program.

Beside ours stand the published means of all policies, our own kernels without typical pods (first fit in the same
order of nodes), and a linear-programming bound (`peers/bound.py`). The bound holds for work that is accepted in the mix
as offered, GPUs only; at 130 % offered a policy that takes the convenient pods may exceed it in principle.

One setting serves all six. Stranded share, its weight and the order were chosen on seeds 1 to 4; the step of 40 and the
trials without stranded share, below, looked at seeds 42 to 51 or 42 to 45 too. The figures printed are of seeds 42 to
51. What was tried, in points above or below the published FGD figure (0.1 is noise: standard deviation 0.05 to 0.15):

* **The published measure as it stands** (`stranded_milli` 0, pseudo-random order): by luck of the order -0.1 to +0.1 on
  default, -0.6 to +0.1 on gpuspec33, -0.5 to +0.1 on cpu200, the others -0.2 to +0.1: the published result, reproduced.
* **Order of nodes** that settles equal scores, with that measure: fewest GPUs first +0.0 on default and +0.5 on
  gpuspec33; most GPUs first -8.0, fewest CPUs per GPU first -9.8, the order of the node list -7.7.
* **Step** of the score, with that measure: 20 milli-GPU -0.2 on default; 40, 44, 80, 120 within 0.1; 60 -0.1; but at
  gpushare40 all of them except 40 -0.1 to -0.4. Rounding up or down is alike; to the nearest -0.2.
* **Typical pods**: the most frequent kinds until 95 % are covered. Cutting gpuspec33's 124 kinds at 64 costs 0.8
  points; 90 % to 100 % is alike; weighting kinds by the GPUs that they ask for costs 0.8.
* **Other measures**: remainders (share % size) in place of what is too small to be used -0.3 on default; growth plus
  the loss of packing value by the bound's dual prices: gpushare100 +0.6, nothing on default.
* **Stranded share** (the pool's own rule, see `gridhall.scheduling.sharing`): +0.5 default, +0.7 to +0.9 cpu200, +0.3
  gpushare40 and gpushare100, +1.0 gpuspec33, +0.5 multigpu20 at any weight from 50 to 1,000 per mille, any step from 10
  to 80 and any seed of the order: it is the rule that matters, not the number. Memory counted likewise: nothing more.
* **The weight** of stranded share pulls two figures apart: at 1,000 multigpu20 gains 0.2 more, but gpuspec33 when 100 %
  have arrived falls 4.5 below FGD, because hardware that only some pods may use fills up sooner. At 100 it is level
  with FGD there (50: -1.2, 150: -0.7, 300: -1.6), and fewest GPUs first loses 1.4. So 100, pseudo-random order.
"""

import sys
import time
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks import openb
from benchmarks.common import emit
from benchmarks.openb import Pods
from benchmarks.peers.bound import packing_bound
from gridhall.fleet.arrays import FleetArrays
from gridhall.kernel import column, kernel, state_cast
from gridhall.scheduling.policy import load_policy
from gridhall.scheduling.sharing import (
    SharingColumns,
    TypicalPods,
    pool_find,
    pool_init,
    pool_pick_gpu,
    pool_set_types,
    pool_sizes,
    pool_take,
    typical_pods,
)

SEEDS = range(42, 52)
T_NINE = 2.262
"""Student's t, 97.5 %, nine degrees of freedom: ten seeds give mean +- T_NINE * sd / sqrt(10)."""
OFFERED = 1.3


class Experiment(SharingColumns):
    """The pool, the pods that arrive, and what each was given."""

    arriving_cpu = column("arriving")
    arriving_mem = column("arriving")
    arriving_milli = column("arriving")
    arriving_gpus = column("arriving")
    arriving_cells = column("arriving")
    given_milli = column("arriving")


as_state = state_cast(Experiment)


@kernel
def place_all(handle: int, count: int) -> None:
    """Decide pod by pod, in order of arrival."""
    w = as_state(handle)
    for pod in range(count):
        cpu, mem, milli, gpus = w.arriving_cpu[pod], w.arriving_mem[pod], w.arriving_milli[pod], w.arriving_gpus[pod]
        node = pool_find(w, w.arriving_cells[pod], cpu, mem, milli, gpus)
        if node >= 0:
            mask = pool_pick_gpu(w, node, cpu, milli, gpus)
            pool_take(w, node, mask, milli, cpu, mem)
            w.given_milli[pod] = milli * gpus


@dataclass(frozen=True)
class Run:
    """One seed: allocation in % of capacity when 100 and when 130 % have arrived, and what it cost."""

    at_100: float
    at_130: float
    decisions: int
    cpu_s: float


@dataclass(frozen=True)
class Result:
    """One workload, all seeds, in % of capacity."""

    ours: float
    ci: float
    ours_at_100: float
    fgd: float | None
    fgd_at_100: float | None
    first_fit: float
    bound: float
    decisions_per_s: int


def offered(pods: Pods, capacity_milli: int, seed: int) -> Pods:
    """The workload in random order, then random pods of it, up to OFFERED times the capacity."""
    draw = np.random.Generator(np.random.Philox(key=[seed, 0]))
    rows = draw.permutation(len(pods))
    more = draw.integers(0, len(pods), 4 * len(pods))
    missing = OFFERED * capacity_milli - pods.demand_milli.sum()
    fitting = np.searchsorted(np.cumsum(pods.demand_milli[more]), missing, side="right")
    return pods.take(np.concatenate([rows, more[:fitting]]))


def run(fleet: FleetArrays, arriving: Pods, types: TypicalPods | None) -> Run:
    """Place everything that arrives on an empty pool."""
    w = Experiment(pool_sizes(fleet) | {"arriving": len(arriving)})
    pool_init(w, fleet, load_policy().pool.settings())
    if types is not None:
        pool_set_types(w, types)
    w.arriving_cpu[:], w.arriving_mem[:] = arriving.cpu_milli, arriving.mem_mib
    w.arriving_milli[:], w.arriving_gpus[:], w.arriving_cells[:] = arriving.gpu_milli, arriving.gpus, arriving.cells
    before = time.process_time()
    place_all(w.handle, len(arriving))
    cpu_s = time.process_time() - before
    capacity = fleet.gpus * 1000
    arrived, given = np.cumsum(arriving.demand_milli), np.cumsum(w.view("given_milli"))
    full = min(int(np.searchsorted(arrived, capacity)), len(arriving) - 1)
    return Run(100 * given[full] / capacity, 100 * given[-1] / capacity, len(arriving), cpu_s)


def measure(fleet: FleetArrays, pods: Pods, published: dict[int, float] | None) -> Result:
    """Run one workload over all seeds."""
    types = typical_pods(pods.cpu_milli, pods.gpu_milli, pods.gpus, pods.cells)
    sequences = [offered(pods, fleet.gpus * 1000, seed) for seed in SEEDS]
    runs = [run(fleet, arriving, types) for arriving in sequences]
    plain = [run(fleet, arriving, None) for arriving in sequences[:3]]
    reached = np.array([one.at_130 for one in runs])
    return Result(
        ours=round(float(reached.mean()), 3),
        ci=round(float(T_NINE * reached.std(ddof=1) / np.sqrt(len(reached))), 3),
        ours_at_100=round(float(np.mean([one.at_100 for one in runs])), 3),
        fgd=round(published[130], 3) if published else None,
        fgd_at_100=round(published[100], 3) if published else None,
        first_fit=round(float(np.mean([one.at_130 for one in plain])), 3),
        bound=round(100 * packing_bound(pods.gpus, pods.gpu_milli).density, 3),
        decisions_per_s=int(sum(one.decisions for one in runs) / sum(one.cpu_s for one in runs)),
    )


def print_published(published: dict[str, dict[str, dict[int, float]]]) -> None:
    """The published table: allocation at 130 % offered, in %."""
    print("published (mean of 10 seeds), % of GPU capacity allocated at 130 % offered")
    print(f"{'workload':12}" + "".join(f"{name[3:]:>15}" for name in openb.POLICIES))
    for workload in openb.WORKLOADS:
        print(f"{workload:12}" + "".join(f"{published[workload][name][130]:15.2f}" for name in openb.POLICIES))


def print_row(name: str, result: Result) -> None:
    """One workload beside the published FGD figure and the bound."""
    fgd, gap, fgd_at_100 = "-", "-", "-"
    if result.fgd is not None:
        fgd, gap, fgd_at_100 = f"{result.fgd:.2f}", f"{result.ours - result.fgd:+.2f}", f"{result.fgd_at_100:.2f}"
    of_bound = 100 * result.ours_at_100 / result.bound
    print(
        f"{name:12}{result.ours:8.2f} +-{result.ci:.2f}{fgd:>8}{gap:>8}{result.first_fit:10.2f}{result.bound:8.2f}"
        f"{result.ours_at_100:10.2f}{fgd_at_100:>9}{of_bound:10.1f} %{result.decisions_per_s:12,}",
        flush=True,
    )


def inputs() -> tuple[FleetArrays, dict[str, Pods], dict[str, dict[str, dict[int, float]]]]:
    """Fleet, workloads and published results: openb, or a labelled stand-in without published results."""
    if openb.OPENB.is_dir():
        print(openb.ATTRIBUTION)
        fleet, published = openb.read_fleet(), openb.read_published()
        print_published(published)
        return fleet, {name: openb.read_pods(name, fleet) for name in openb.WORKLOADS}, published
    print("SYNTHETIC stand-in: ../shared/data/traces/openb is absent, so nothing here compares with published figures")
    fleet = openb.synthetic_fleet()
    return fleet, {"synthetic": openb.synthetic_pods(fleet)}, {}


def main() -> int:
    """Print both tables and the JSON line."""
    fleet, workloads, published = inputs()
    first = next(iter(workloads.values()))
    before = time.process_time()
    run(fleet, first.take(np.arange(10)), None)
    print(f"first decisions, compilation or cache included: {time.process_time() - before:.2f} CPU-s")
    print(f"\n{'workload':12}{'ours':>8}{'95% ci':>7}{'FGD':>8}{'gap':>8}{'first fit':>10}{'bound':>8}", end="")
    print(f"{'ours @100':>10}{'FGD @100':>9}{'of bound':>12}{'decisions/s':>12}")
    results: dict[str, Result] = {}
    for name, pods in workloads.items():
        results[name] = measure(fleet, pods, published[name]["06-FGD"] if published else None)
        print_row(name, results[name])
    policy = load_policy()
    figures = {
        "workloads": {name: asdict(result) for name, result in results.items()},
        "decisions_per_s": min(result.decisions_per_s for result in results.values()),
        "pool_policy": asdict(policy.pool.settings()),
        "synthetic": not published,
    }
    emit(figures, policy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
