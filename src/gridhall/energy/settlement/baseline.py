"""What would have been drawn without the event: a series of watts, where it comes from, and how wrong it may be."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridhall.errors import fault
from gridhall.units import iso_utc

Ints = NDArray[np.int64]
Kind = Literal["nominated", "counterfactual"]


@dataclass(frozen=True)
class Baseline:
    """Watts for each sample of the readings. `error_milli` is its stated relative error; `made_ms` when it was made."""

    kind: Kind
    watts: Ints
    error_milli: int
    made_ms: int


def nominated(watts: Ints, made_ms: int, event_ms: int) -> Baseline:
    """A baseline that was declared before the event began. Raises InputError when it was declared later."""
    if made_ms > event_ms:
        problem = f"nominated at {iso_utc(made_ms)}, after the event began at {iso_utc(event_ms)}"
        raise fault("baseline", "made_ms", problem, "nominate before the event, or settle on a counterfactual")
    return Baseline("nominated", _watts(watts), 0, made_ms)


def counterfactual(watts: Ints, made_ms: int, error_milli: int) -> Baseline:
    """The draw of a fork in which the event did not happen. Its error is stated by whoever ran the fork, per mille."""
    if error_milli < 0:
        raise fault("baseline", "error_milli", f"{error_milli} is negative", "state the error in per mille of the draw")
    return Baseline("counterfactual", _watts(watts), error_milli, made_ms)


def _watts(watts: Ints) -> Ints:
    if (watts < 0).any():
        row = int(np.flatnonzero(watts < 0)[0])
        raise fault(f"baseline row {row}", "watts", f"{watts[row]} is negative", "power drawn is positive")
    return watts.astype(np.int64)
