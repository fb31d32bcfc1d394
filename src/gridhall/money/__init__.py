"""What did it cost? Usage intervals, rates, charges, the FOCUS export, budgets, and the margin that is left.

There are two books, and both only grow. The book of **usage** holds intervals: which GPUs an attempt had, from when
until when (`intervals`), with the energy and carbon that go with them (`attribution`). The book of **charges** is usage
times a rate book (`rates`, `rating`); it can be made again with other prices, and what a closed month got wrong is
charged as a correction. `focus` writes charges for the tenants' tools, `budgets` says from what was spent whether a
project may go on, and `statement` what the operator has left.

All sums are whole numbers: micro-units of one named currency, 1/1000 GPU x ms, mJ, mg. They are rounded so that an
interval may be cut anywhere without changing a sum (`exact`). Nothing here knows what a fleet or a job is.
"""

from gridhall.money.charges import charge_micro
from gridhall.money.statement import Statement, capex_share_micro, convert_micro

__all__ = ["Statement", "capex_share_micro", "charge_micro", "convert_micro"]
