"""Exact energy of a draw that is constant between the instants at which it changes.

A watt for a millisecond is a millijoule, so energy stays an integer: 100 MW for a year are 3.2e18 mJ and fit int64,
and Python's own integers do not overflow at all.
"""

from collections.abc import Sequence

from gridhall.units import J_PER_KWH


def energy_mj(changes: Sequence[tuple[int, int]], end_ms: int) -> int:
    """Millijoules up to `end_ms` of a draw given as (time_ms, watts), each holding until the next.

    Raises ValueError when the times do not rise or `end_ms` lies before the last change.
    """
    ends = [*(time_ms for time_ms, _ in changes[1:]), end_ms]
    spans = [(until - since, watts) for (since, watts), until in zip(changes, ends, strict=True)]
    if any(span < 0 for span, _ in spans):
        raise ValueError("changes of a draw must be in order of time and end before end_ms")
    return sum(span * watts for span, watts in spans)


def carbon_ug(energy_mj: int, intensity_ug_kwh: int) -> int:
    """Micrograms of CO2-equivalent of an energy at a constant intensity in micrograms per kWh, rounded down."""
    return energy_mj * intensity_ug_kwh // (1000 * J_PER_KWH)
