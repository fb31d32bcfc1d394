"""Usage intervals: which GPUs an attempt of a job had, from when until when. The book of usage, which only grows.

An interval opens when an attempt is given its GPUs and closes when they are taken back, whether it computed, started
up or wrote a checkpoint in between. It may be cut at any time (a month's end, new prices): the sum over the pieces is
the sum of the whole. Its id follows from what it is about, so that writing one down twice adds nothing.

GPU-time is counted in 1/1000 GPU x ms (`gpu_milli_ms`): a share of a GPU times a millisecond is still a whole number.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

Basis = Literal["measured", "declared", "assumed"]
"""What a figure rests on: a meter, somebody's statement, or neither."""
STRENGTH: tuple[Basis, ...] = ("measured", "declared", "assumed")

State = Literal["allocated"]
Cause = Literal["start", "restart", "swap", "cut"]
"""What opened an interval: a first attempt, a later one, a lost node replaced in place, or a cut in an open one."""


@dataclass(frozen=True, slots=True)
class UsageInterval:
    """GPUs of one attempt over one span of time, with what they are taken to have drawn.

    `draw_w` are the declared watts of the allocation at the machines: its share of the nodes' idle power and the power
    that the job is charged for above it. `energy_mj` (W x ms) and `carbon_mg` (CO2-equivalent) include the site's
    overhead; they are 0 and `assumed` until they are attributed.
    """

    job: int
    attempt: int
    organisation: str
    project: str
    site: str
    country: str
    sku: str
    tier: str
    state: State
    start_ms: int
    end_ms: int
    gpu_milli: int
    draw_w: int
    cause: Cause
    energy_mj: int = 0
    energy_basis: Basis = "assumed"
    carbon_mg: int = 0
    carbon_basis: Basis = "assumed"

    @property
    def id(self) -> str:
        """32 hexadecimal digits over job, attempt and start: one attempt never has two intervals at one time."""
        return hashlib.sha256(f"{self.job}.{self.attempt}.{self.start_ms}".encode()).hexdigest()[:32]

    @property
    def gpu_milli_ms(self) -> int:
        """GPU-time in 1/1000 GPU x ms."""
        return self.gpu_milli * (self.end_ms - self.start_ms)


def cut(interval: UsageInterval, time_ms: int) -> list[UsageInterval]:
    """The pieces of an interval before and from a time; itself where the time is not inside. Attribute them anew."""
    if not interval.start_ms < time_ms < interval.end_ms:
        return [interval]
    bare = replace(interval, energy_mj=0, energy_basis="assumed", carbon_mg=0, carbon_basis="assumed")
    return [replace(bare, end_ms=time_ms), replace(bare, start_ms=time_ms, cause="cut")]


def weakest(*bases: Basis) -> Basis:
    """What a figure rests on that was made from several."""
    return max(bases, key=STRENGTH.index)
