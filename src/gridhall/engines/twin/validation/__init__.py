"""What the twin can be held to: published figures, ours beside them, each with its error and its source.

`rows()` computes every figure anew on the user's machine and is what `gridhall validate` prints. A row says who
computed our side, because not all of them run the whole twin: a closed form of a physics room, the independent schedule
simulator of this folder (`schedules`), a Monte Carlo of a formula; `twin` runs everything. A section is a function
without arguments that returns rows; a room with something to show adds its section to `SECTIONS`.
"""

from collections.abc import Callable

from gridhall.engines.twin.validation.energy import energy_rows
from gridhall.engines.twin.validation.frontier import frontier_rows
from gridhall.engines.twin.validation.goodput import goodput_rows
from gridhall.engines.twin.validation.row import Row
from gridhall.engines.twin.validation.twin import twin_rows
from gridhall.engines.twin.validation.waits import wait_rows

SECTIONS: tuple[Callable[[], list[Row]], ...] = (
    frontier_rows,
    wait_rows,
    goodput_rows,
    energy_rows,
    twin_rows,
)


def rows() -> list[Row]:
    """Every check, in the order in which it is printed."""
    return [row for section in SECTIONS for row in section()]


__all__ = ["SECTIONS", "Row", "rows"]
