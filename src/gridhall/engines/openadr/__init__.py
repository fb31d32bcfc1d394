"""The utility's voice: an OpenADR 3 client (VEN) that turns events into load targets, prices, carbon and alerts.

    VTN <- poll -- Ven (toadr3 over HTTP) -> events -> meaning -> what the desk works with
                                                       follow  -> load targets to set, also for events withdrawn
    VTN <- report - Ven <- reports.demand_report <- meter readings

`meaning` and `follow` are pure; `ven` is the only file that touches the network. Nothing is acted on here: a target
still passes `energy.targets.accept`, which may refuse it. The library speaks OpenADR 3.0; with a 3.1 server it reads
events that carry no targets list of their own.
"""

from gridhall.engines.openadr.follow import Known, follow
from gridhall.engines.openadr.meaning import Alert, Meaning, meaning_of
from gridhall.engines.openadr.reports import demand_report, wanted
from gridhall.engines.openadr.settings import VenSettings
from gridhall.engines.openadr.ven import Ven

__all__ = ["Alert", "Known", "Meaning", "Ven", "VenSettings", "demand_report", "follow", "meaning_of", "wanted"]
