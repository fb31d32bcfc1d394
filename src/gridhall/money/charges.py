"""Charges: GPU-time at a rate per GPU-hour."""

import numpy as np
from numpy.typing import NDArray

from gridhall.units import HOUR_MS

Ints = NDArray[np.int64]


def charge_micro(gpus: Ints, duration_ms: Ints, rate_micro_per_gpu_hour: Ints) -> Ints:
    """Micro-units for each usage interval, rounded down.

    Whole GPU-hours and the rest are priced apart: a big gang's month times a rate in micro-units overflows int64.
    """
    hours, rest_ms = np.divmod(gpus * duration_ms, HOUR_MS)
    return hours * rate_micro_per_gpu_hour + rest_ms * rate_micro_per_gpu_hour // HOUR_MS
