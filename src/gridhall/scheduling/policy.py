"""The policy file: the operator's numbers for order, placement, holds, pre-emption and failures."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridhall.errors import Fault, InputError
from gridhall.kernel import Ints
from gridhall.scheduling import queue as q
from gridhall.scheduling.sharing import PoolPolicy

DEFAULT_POLICY = Path(__file__).with_name("default_policy.yaml")

Hours = Annotated[float, Field(ge=0, le=100_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Order(_Part):
    """In which order work waits; see `gridhall.scheduling.queue`."""

    stretch: Annotated[float, Field(ge=0, le=1000)]
    fair_share_hours: Hours
    fair_share_half_life_days: Annotated[float, Field(gt=0, le=1000)]
    head_start_hours: tuple[float, float, float, float]


class Prediction(_Part):
    """Which quantiles of past run times are believed."""

    order_quantile: Share
    end_quantile: Share
    overrun_hours: Hours


class Passes(_Part):
    """How far and how often the queue is looked through."""

    depth: Annotated[int, Field(ge=1, le=100_000)]
    tick_minutes: Annotated[float, Field(gt=0, le=1440)]


class Placement(_Part):
    """How compact a gang must be."""

    spread: Annotated[float, Field(ge=1, le=100)]
    spread_wait_hours: Annotated[float, Field(gt=0, le=100_000)]
    spare_share: Annotated[float, Field(ge=0, lt=1)]


class Holds(_Part):
    """Time reservations for blocked gangs."""

    depth: Annotated[int, Field(ge=0, le=10_000)]
    after_hours: Hours
    large_nodes: Annotated[int, Field(ge=1, le=1_000_000)]
    large_after_hours: Hours
    window_hours: Hours
    window_hours_per_1000_nodes: Hours
    per_cell: Annotated[int, Field(ge=0, le=64)]
    share: Share
    idle_share: Share
    pod_to_hall_hours: Hours
    pod_to_cell_hours: Hours
    patience_hours: Hours
    replan_minutes: Annotated[float, Field(gt=0, le=1440)]


class Preemption(_Part):
    """When higher work may stop lower work."""

    wait_minutes: Hours
    within_minutes: Hours


class Failures(_Part):
    """What happens to gangs that keep failing."""

    stuck_limit: Annotated[int, Field(ge=1, le=1000)]
    backoff_minutes: Hours


class Pool(_Part):
    """How the shared-GPU pool decides; see `gridhall.scheduling.sharing`."""

    step_milli: Annotated[int, Field(ge=1, le=1000)]
    round_milli: Annotated[int, Field(ge=0, le=999)]
    stranded_milli: Annotated[int, Field(ge=0, le=1_000_000)]
    order_seed: Annotated[int, Field(ge=0, le=1_000_000)]

    def settings(self) -> PoolPolicy:
        """The same numbers for the pool's kernels."""
        return PoolPolicy(self.step_milli, self.round_milli, self.stranded_milli, self.order_seed)


class Policy(_Part):
    """All numbers of the policy file."""

    policy: Literal["v1"]
    order: Order
    prediction: Prediction
    passes: Passes
    placement: Placement
    holds: Holds
    preemption: Preemption
    failures: Failures
    pool: Pool

    def numbers(self) -> Ints:
        """The numbers as the kernels read them, indexed by `queue.P_*`."""
        row = np.zeros(q.POLICY_ENTRIES, dtype=np.int64)
        for place, value in self._named().items():
            row[place] = round(value)
        return row

    def _named(self) -> dict[int, float]:
        hour, minute, grid_hours = 3_600_000.0, 60_000.0, 1.0
        keep = 0.5 ** (grid_hours / (self.order.fair_share_half_life_days * 24))
        heads = {q.P_HEAD_START_MS + i: hours * hour for i, hours in enumerate(self.order.head_start_hours)}
        return heads | {
            q.P_STRETCH_MILLI: self.order.stretch * 1000,
            q.P_FAIR_MS: self.order.fair_share_hours * hour,
            q.P_FAIR_GRID_MS: grid_hours * hour,
            q.P_FAIR_KEEP_MILLI: keep * 1_000_000,
            q.P_DEPTH: self.passes.depth,
            q.P_TICK_MS: self.passes.tick_minutes * minute,
            q.P_HOLD_DEPTH: self.holds.depth,
            q.P_HOLD_AFTER_MS: self.holds.after_hours * hour,
            q.P_IDLE_SHARE_MILLI: self.holds.idle_share * 1000,
            q.P_LARGE_NODES: self.holds.large_nodes,
            q.P_LARGE_AFTER_MS: self.holds.large_after_hours * hour,
            q.P_HOLD_WINDOW_MS: self.holds.window_hours * hour,
            q.P_HOLD_WINDOW_NODE_MS: self.holds.window_hours_per_1000_nodes * hour / 1000,
            q.P_CELL_HOLDS: self.holds.per_cell,
            q.P_HOLD_SHARE_MILLI: self.holds.share * 1000,
            q.P_HALL_PENALTY_MS: self.holds.pod_to_hall_hours * hour,
            q.P_CELL_PENALTY_MS: self.holds.pod_to_cell_hours * hour,
            q.P_PATIENCE_MS: self.holds.patience_hours * hour,
            q.P_REPLAN_MS: self.holds.replan_minutes * minute,
            q.P_SPREAD_MILLI: self.placement.spread * 1000,
            q.P_SPREAD_WAIT_MS: self.placement.spread_wait_hours * hour,
            q.P_MEDIAN_MILLI: self.prediction.order_quantile * 1000,
            q.P_HIGH_MILLI: self.prediction.end_quantile * 1000,
            q.P_OVERRUN_MS: self.prediction.overrun_hours * hour,
            q.P_PREEMPT_WAIT_MS: self.preemption.wait_minutes * minute,
            q.P_PREEMPT_WITHIN_MS: self.preemption.within_minutes * minute,
            q.P_MAX_STUCK: self.failures.stuck_limit,
            q.P_BACKOFF_MS: self.failures.backoff_minutes * minute,
        }

    def spares(self, cell_nodes: Ints) -> Ints:
        """Open nodes that each cell keeps for swaps."""
        return (cell_nodes * self.placement.spare_share).astype(np.int64)

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits over every number of the policy."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read a policy file. Raises InputError with every fault."""
    try:
        return Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as problem:
        raise InputError([Fault(str(path), "", str(problem), "give a readable YAML file")]) from problem
    except ValidationError as problem:
        faults = [
            Fault(
                str(path),
                ".".join(str(part) for part in error["loc"]),
                f"{error['msg']} (got {error['input']!r})",
                f"see {DEFAULT_POLICY.name} for every field",
            )
            for error in problem.errors()
        ]
        raise InputError(faults) from problem
