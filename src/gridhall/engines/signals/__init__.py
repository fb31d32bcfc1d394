"""Price and carbon from public services over HTTP. Fetching is here, reading the answers is `energy.signals.gb`.

Each adapter is one function: it asks for a stretch of time in as many requests as the service allows, and gives checked
readings. A service that does not answer, or answers with an error, is an InputError that says what to do; nothing is
retried here, because whoever asked knows how long it may wait.
"""

from gridhall.engines.signals.carbon_intensity import fetch_carbon
from gridhall.engines.signals.elexon import fetch_market_index

__all__ = ["fetch_carbon", "fetch_market_index"]
