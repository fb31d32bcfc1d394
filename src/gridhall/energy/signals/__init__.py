"""What does power cost, and how clean is it? Price and carbon over time, with what was known when.

A signal begins as **readings**: one value for each settlement period, and the instant at which it was published. From
readings the view **known at** an instant is taken: the signal on the internal step of 5 minutes (it divides 15, 30 and
60 minutes), holding only what had been published by then. Later values are never seen early, so a plan made from the
view could have been made on that day.

- `clock` knows settlement days: local days of 46, 48 or 50 half-hours, and local times that happen twice or never.
- `readings` checks rows (nothing missing, unsorted or overlapping) and takes the view; `gaps` fills holes by one rule
  and marks what it filled.
- `files` reads CSV and parquet as a declaration says; `gb` reads the answers of the public British services, which
  `engines.signals` fetches.
- `forecast` continues a signal beyond what is known, and makes forecasts of a stated error.

Values are integers in micro-units: micro-units of a currency per MWh, micrograms of CO2-equivalent per kWh. Negative
prices are prices.
"""

from gridhall.energy.signals.files import SignalFile, read_signal
from gridhall.energy.signals.forecast import ErrorLaw, continued, with_error
from gridhall.energy.signals.gaps import FILLED, FORECAST, PUBLISHED, UNKNOWN
from gridhall.energy.signals.readings import Readings, Row, readings_of
from gridhall.energy.signals.view import STEP_MS, Signal, known_at

__all__ = [
    "FILLED",
    "FORECAST",
    "PUBLISHED",
    "STEP_MS",
    "UNKNOWN",
    "ErrorLaw",
    "Readings",
    "Row",
    "Signal",
    "SignalFile",
    "continued",
    "known_at",
    "read_signal",
    "readings_of",
    "with_error",
]
