"""What did it cost? Rates per GPU-hour, charges for usage intervals and the margin that is left.

All sums are integer micro-units of one named currency. A usage interval (a gang on some GPUs from one time to another)
is charged by itself and rounded down once (`charges`); a statement adds charges and takes off energy and the share of
the hardware's price that falls into the period (`statement`). Nothing here knows what a fleet or a job is.
"""

from gridhall.money.charges import charge_micro
from gridhall.money.statement import Statement, capex_share_micro, convert_micro

__all__ = ["Statement", "capex_share_micro", "charge_micro", "convert_micro"]
