"""What does a cap cost? Throughput and draw of a GPU against its power cap, as piecewise-linear tables of integers.

A curve belongs to a kind of job on a chip and is data (`curves.yaml`), each with its source; the default is the shape
measured on V100, and a pessimistic one stands ready for chips that nobody has published. Everything is per mille: the
cap of the GPU's power limit, throughput and draw of their uncapped values.

Capping is cheap at first and dear below: at `break_even_cap_milli` it becomes better to pause some jobs and leave the
others at that cap. Inference is another matter: its power hardly falls with the batch, so it is shed by consolidation.

The functions on arrays use plain integer arithmetic without objects, so that kernels can take them over.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from gridhall.fleet.figures import Part
from gridhall.fleet.yamlfile import read_yaml

Ints = NDArray[np.int64]
Basis = Literal["measured", "assumed"]

CURVES_FILE = Path(__file__).with_name("curves.yaml")
DEFAULT_CURVE = "v100-training"
PESSIMISTIC_CURVE = "h100-pessimistic"
FULL_MILLI = 1000


def between(xs: Ints, ys: Ints, x: int) -> int:
    """y at `x` on the line through the points, rounded down; held at both ends. `xs` must rise."""
    if x <= xs[0]:
        return int(ys[0])
    for i in range(1, len(xs)):
        if x < xs[i]:
            return int(ys[i - 1] + (x - xs[i - 1]) * (ys[i] - ys[i - 1]) // (xs[i] - xs[i - 1]))
    return int(ys[-1])


def least_reaching(xs: Ints, ys: Ints, y: int) -> int:
    """The least whole x at which the line reaches `y`; the last x where it never does. `xs` and `ys` must rise."""
    if y <= ys[0]:
        return int(xs[0])
    for i in range(1, len(xs)):
        if y <= ys[i]:
            return int(xs[i - 1] - (y - ys[i - 1]) * (xs[i - 1] - xs[i]) // (ys[i] - ys[i - 1]))
    return int(xs[-1])


@dataclass(frozen=True)
class CapCurve:
    """Throughput and draw against the cap; all three rise and end at 1000. Below the first cap nothing is known."""

    cap_milli: Ints
    throughput_milli: Ints
    draw_milli: Ints

    def throughput_at(self, cap_milli: int) -> int:
        """Throughput under a cap."""
        return between(self.cap_milli, self.throughput_milli, cap_milli)

    def draw_at(self, cap_milli: int) -> int:
        """Draw under a cap; a GPU may draw a little more than its cap."""
        return between(self.cap_milli, self.draw_milli, cap_milli)

    def cap_for_throughput(self, throughput_milli: int) -> int:
        """The lowest cap that keeps at least this throughput."""
        return least_reaching(self.cap_milli, self.throughput_milli, throughput_milli)

    def cap_for_draw(self, draw_milli: int) -> int:
        """The highest cap that draws at most this; the lowest known one where none does."""
        if draw_milli >= FULL_MILLI:
            return FULL_MILLI
        too_much = least_reaching(self.cap_milli, self.draw_milli, draw_milli + 1)
        return max(too_much - 1, int(self.cap_milli[0]))

    def marginal_loss_milli(self, cap_milli: int) -> int:
        """Per mille of throughput lost for each 1000 per mille of draw shed, at the next step down from this cap."""
        upper = int(np.searchsorted(self.cap_milli, cap_milli))
        upper = min(max(upper, 1), len(self.cap_milli) - 1)
        lost = self.throughput_milli[upper] - self.throughput_milli[upper - 1]
        return int(lost * FULL_MILLI // (self.draw_milli[upper] - self.draw_milli[upper - 1]))

    def memory_bound(self, share_milli: int) -> "CapCurve":
        """The curve of a job that spends this share of its time waiting for memory, which a cap does not slow."""
        bound = FULL_MILLI - share_milli
        slowed = bound * FULL_MILLI + share_milli * self.throughput_milli
        throughput = FULL_MILLI * FULL_MILLI * self.throughput_milli // slowed
        return CapCurve(self.cap_milli, throughput, self.draw_milli)


def break_even_cap_milli(curve: CapCurve, gpu_share_milli: int = 667, paused_milli: int = 250) -> int:
    """The cap below which pausing jobs sheds power at less lost work than capping all of them further.

    `gpu_share_milli` is the GPUs' part of a node's full draw, `paused_milli` what a node still draws with its job
    paused. At this cap work per watt above the paused node is greatest, so a mix of paused jobs and jobs at this cap
    beats any lower cap.
    """
    node = FULL_MILLI - gpu_share_milli * (FULL_MILLI - curve.draw_milli) // FULL_MILLI
    per_watt = curve.throughput_milli * FULL_MILLI * FULL_MILLI // np.maximum(node - paused_milli, 1)
    return int(curve.cap_milli[int(np.argmax(per_watt))])


@dataclass(frozen=True)
class InferenceCurve:
    """Power of each GPU, tokens per second of the replica and time between tokens, against the batch."""

    batch: Ints
    gpu_w: Ints
    tokens_per_s: Ints
    token_us: Ints

    def power_w(self, batch: int) -> int:
        """Watts of each GPU at a batch."""
        return between(self.batch, self.gpu_w, batch)

    def rate(self, batch: int) -> int:
        """Tokens per second of the replica at a batch."""
        return between(self.batch, self.tokens_per_s, batch)

    def batch_for(self, tokens_per_s: int) -> int:
        """The least batch that gives this rate; the largest known one where none does."""
        return least_reaching(self.batch, self.tokens_per_s, tokens_per_s)


class CapEntry(Part):
    """A cap curve of `curves.yaml`, what it rests on and where it comes from."""

    title: str
    chip: str
    basis: Basis
    source: str
    cap_milli: tuple[int, ...]
    throughput_milli: tuple[int, ...]
    draw_milli: tuple[int, ...]

    @model_validator(mode="after")
    def _rises_to_full(self) -> Self:
        for values in (self.cap_milli, self.throughput_milli, self.draw_milli):
            if len(values) < 2 or len(values) != len(self.cap_milli) or values[-1] != FULL_MILLI or not _rises(values):
                raise ValueError("cap, throughput and draw must be of equal length, rise and end at 1000")
        return self

    @property
    def curve(self) -> CapCurve:
        """The table as arrays."""
        return CapCurve(*(_ints(values) for values in (self.cap_milli, self.throughput_milli, self.draw_milli)))


class InferenceEntry(Part):
    """An inference curve of `curves.yaml`, what it rests on and where it comes from."""

    title: str
    chip: str
    basis: Basis
    source: str
    batch: tuple[int, ...]
    gpu_w: tuple[int, ...]
    tokens_per_s: tuple[int, ...]
    token_us: tuple[int, ...]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        for values in (self.batch, self.gpu_w, self.tokens_per_s, self.token_us):
            if len(values) < 2 or len(values) != len(self.batch) or not _rises(values):
                raise ValueError("batch, power, rate and time must be of equal length and rise")
        return self

    @property
    def curve(self) -> InferenceCurve:
        """The table as arrays."""
        return InferenceCurve(*(_ints(v) for v in (self.batch, self.gpu_w, self.tokens_per_s, self.token_us)))


class Curves(Part):
    """The file of curves."""

    schema_id: Literal["power-curves/v1"] = Field(validation_alias="schema", serialization_alias="schema")
    sources: dict[str, str]
    caps: dict[str, CapEntry]
    inference: dict[str, InferenceEntry]


@cache
def shipped_curves() -> Curves:
    """The curves of this installation, read once."""
    data: Any = read_yaml(CURVES_FILE).data
    return Curves.model_validate(data)


def cap_curve(name: str = DEFAULT_CURVE) -> CapCurve:
    """A shipped cap curve by name. Raises KeyError for a name that `curves.yaml` does not hold."""
    return shipped_curves().caps[name].curve


def _rises(values: tuple[int, ...]) -> bool:
    return all(low < high for low, high in pairwise(values))


def _ints(values: tuple[int, ...]) -> Ints:
    return np.array(values, dtype=np.int64)
