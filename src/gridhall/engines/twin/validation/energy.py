"""One host's energy and carbon: our closed-form integration against the sums that OpenDC's own tests assert."""

from gridhall.energy import carbon_ug, energy_mj
from gridhall.engines.twin.validation.row import Row

OPENDC = "OpenDC at 691036d (2026-07): tests of its runner and of its carbon model"
COMPUTED_BY = "energy.integral, closed form between changes"
INTENSITY_NL_UG_KWH = 164_517_700
"""First quarter-hour of 2022 in OpenDC's Dutch carbon trace: 164.5177 g/kWh."""

IDLE_W, HALF_W, FULL_W = 100, 150, 200
"""OpenDC's test host: linear from 100 W idle to 200 W."""


def energy_rows() -> list[Row]:
    """A task at half speed for 600 s, then one at full speed for 300 s, without and with a pause between them."""
    one_task = energy_mj([(0, HALF_W)], 600_000)
    two_tasks = energy_mj([(0, HALF_W), (600_000, FULL_W)], 900_000)
    with_pause = energy_mj([(0, HALF_W), (600_000, IDLE_W), (1_200_000, FULL_W)], 1_500_000)
    minute = carbon_ug(energy_mj([(0, HALF_W)], 60_000), INTENSITY_NL_UG_KWH)
    return [
        _row("one task, 600 s at half speed", 90_000, one_task / 1e3, "J", 0.0),
        _row("then one of 300 s at full speed", 150_000, two_tasks / 1e3, "J", 0.0),
        _row("the second one 600 s later", 210_000, with_pause / 1e3, "J", 0.0),
        _row("carbon of one minute at half speed", 0.411294, minute / 1e6, "g", 1e-6),
    ]


def _row(name: str, published: float, ours: float, unit: str, tolerance: float) -> Row:
    return Row("Energy and carbon", name, published, ours, unit, tolerance, OPENDC, COMPUTED_BY)
