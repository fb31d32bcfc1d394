"""Goodput of a gang that keeps losing nodes: `python -m benchmarks.goodput`.

Every case runs one endless gang through the twin (`step`, failures, swaps, restarts, checkpoints) for thousands of
failures and holds its effective training time ratio against exact renewal; Meta's first-order approximation stands
beside it. Rates are those published for RSC-1, RSC-2 and Llama 3; checkpoint intervals dt, writes w and restarts u0
span what is usual today and what is aimed at. The shipped policy decides, without its crash-loop brake, which would
give up a gang that the closed form keeps restarting for ever. Cases of the same rate and size share their failures, so
that their sampling errors (0.4 % at most with 20,000 lives) go together.

`--lives N` sets the failures per case (more lives, less sampling noise).
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from itertools import product

from benchmarks.common import emit
from gridhall.engines.twin.validation.goodput import RATES_PER_1000_NODE_DAYS, Gang, meta_ettr, renewal_ettr
from gridhall.engines.twin.validation.twin import twin_ettr
from gridhall.scheduling.policy import Policy, load_policy

GPUS = (1_024, 4_096, 16_384)
TIMES_S = ((3600.0, 60.0, 600.0), (1800.0, 60.0, 600.0), (900.0, 30.0, 300.0), (300.0, 6.0, 120.0))
"""(dt, w, u0)."""
LIVES = 20_000
WITHIN = 0.02


@dataclass(frozen=True)
class Case:
    """One gang: the ratio by the twin, by exact renewal and by Meta, and errors against exact renewal."""

    rate: str
    gpus: int
    dt_s: float
    write_s: float
    u0_s: float
    ours: float
    formula: float
    meta: float
    error: float
    meta_error: float
    failures: int


def measure(gang: Gang, policy: Policy, lives: int) -> Case:
    """Run one gang through the twin and the formulas."""
    twin, formula, meta = twin_ettr(gang, policy, lives), renewal_ettr(gang), meta_ettr(gang)
    ratios = (twin.ettr, formula, meta, twin.ettr / formula - 1, meta / formula - 1)
    asked = (gang.rate, gang.gpus, gang.interval_s, gang.write_s, gang.restart_s)
    return Case(*asked, *(round(ratio, 5) for ratio in ratios), twin.failures)


def print_case(case: Case) -> None:
    """One line of the table."""
    print(f"{case.rate:8}{case.gpus:8,}{case.dt_s:7.0f}{case.write_s:6.0f}{case.u0_s:6.0f}", end="")
    print(f"{case.ours:9.4f}{case.formula:9.4f}{case.meta:9.4f}{case.error:+9.2%}{case.meta_error:+9.2%}", flush=True)


def main(lives: int) -> int:
    """Print a table and the JSON line; 1 when a case is more than 2 % off."""
    print("compiling the twin, then one gang for each case", flush=True)
    heads = ("dt s", 7), ("w s", 6), ("u0 s", 6), ("ours", 9), ("exact", 9), ("Meta", 9), ("error", 9), ("Meta's", 9)
    print(f"{'rate':8}{'GPUs':>8}" + "".join(f"{head:>{width}}" for head, width in heads), flush=True)
    began, policy = time.process_time(), load_policy()
    cases: list[Case] = []
    for rate, gpus, times in product(RATES_PER_1000_NODE_DAYS, GPUS, TIMES_S):
        cases.append(measure(Gang(rate, gpus, *times), policy, lives))
        print_case(cases[-1])
    worst = max(abs(case.error) for case in cases)
    cpu_s = round(time.process_time() - began, 2)
    emit({"cases": [asdict(case) for case in cases], "worst_error": worst, "cpu_s": cpu_s}, policy)
    return int(worst > WITHIN)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Goodput under failures against exact renewal.")
    parser.add_argument("--lives", type=int, default=LIVES, help="failures of the gang in each case")
    sys.exit(main(parser.parse_args().lives))
