"""What was delivered, measured against what would have been drawn? One record for each event.

    readings + baseline + target -> measure -> EventRecord -> table or JSON

- `baseline` says what would have been drawn: nominated before the event, or a counterfactual that a fork of the twin
  ran, handed in as a series with its stated error.
- `measure` is the arithmetic: delivered energy, tracking, ramps, rebound. Watts and milliseconds are integers, so that
  delivered plus actual equals the baseline to the millijoule.
- `money` is what it earned by product, in integer micro-units.
- `record` joins them and gives the table and the JSON that the energy desk hands over.

Power drawn is positive; delivered energy is positive where less was drawn than the baseline.
"""

from gridhall.energy.settlement.baseline import Baseline, counterfactual, nominated
from gridhall.energy.settlement.measure import Readings, Rules
from gridhall.energy.settlement.money import Product, Revenue
from gridhall.energy.settlement.record import EventRecord, settle

__all__ = [
    "Baseline",
    "EventRecord",
    "Product",
    "Readings",
    "Revenue",
    "Rules",
    "counterfactual",
    "nominated",
    "settle",
]
