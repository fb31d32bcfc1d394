"""The summary of a run: everything that the report shows, as figures that say what they rest on.

It is computed from the run folder's tables alone, outside the kernels: the build-out and how it was used (`buildout`),
the jobs (`jobs`), power, energy, cost and carbon (`energy`), load targets (`load_targets`) and the tenants (`tenants`).
What tables cannot know (totals, prices, provenance) comes in `RunFacts`. Money beyond the price of energy is added by
the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridhall.engines.twin.index import RunIndex
from gridhall.engines.twin.series import Sampled
from gridhall.engines.twin.settings import Totals
from gridhall.engines.twin.summary import buildout, energy, jobs, load_targets, tenants
from gridhall.engines.twin.summary.figure import Basis, Figure, figure
from gridhall.units import DAY_MS, iso_utc

__all__ = ["Basis", "Figure", "RunFacts", "figure", "summarise"]

SCHEMA = "summary/v1"


@dataclass(frozen=True)
class RunFacts:
    """What a run's tables do not say."""

    title: str
    index: RunIndex
    prices: Mapping[str, Sampled]  # by country, per MWh of `currency`
    carbon: Mapping[str, Sampled]  # by country, g/kWh
    currency: str
    totals: Totals
    gpus_basis: Basis
    capex_basis: Basis
    provenance: Mapping[str, Any]


def summarise(run: Path, facts: RunFacts) -> dict[str, Any]:
    """The summary of the tables in `run`. Raises InputError where a table is missing."""
    index = facts.index
    slots = energy.energy_slots(run, index, facts.prices, facts.carbon)
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "title": facts.title,
        "period": {
            "start": iso_utc(index.start_ms),
            "end": iso_utc(index.end_ms),
            "days": (index.end_ms - index.start_ms) / DAY_MS,
        },
        "build_out": buildout.build_out(index, facts.gpus_basis, facts.capex_basis),
        "use": buildout.use(run, index, facts.totals),
        "jobs": jobs.ends(run),
        "waits": jobs.waits(run),
        "queue": jobs.queue(run),
        "goodput": jobs.goodput(run, facts.totals),
        "topology": jobs.topology(run, index),
        "power": energy.power(run, index),
        "energy": energy.energy(slots, index, facts.currency),
        "targets": load_targets.targets(run, index),
        "paused_gpu_h": load_targets.paused(facts.totals),
        "tenants": tenants.gpu_hours_by_country(run, index),
        "refusals": tenants.refusals(run),
        "decisions": {name: figure(count, "decisions") for name, count in facts.totals.decided.items()},
        "provenance": dict(facts.provenance),
    }
    return {**summary, "headline": _headline(run, summary)}


def _headline(run: Path, summary: Mapping[str, Any]) -> dict[str, Figure]:
    """The dozen figures that one asks for first; `compare` and `sweep` show these."""
    use, work, goodput, power = summary["use"], summary["jobs"], summary["goodput"], summary["energy"]
    return {
        "gpus_announced": summary["build_out"]["gpus_announced"],
        "gpus_on_line_at_end": summary["build_out"]["gpus_on_line_at_end"],
        "capex_spent": summary["build_out"]["capex_spent"],
        "utilisation": use["utilisation"],
        "goodput": goodput["goodput"],
        "jobs_submitted": work["submitted"],
        "jobs_over": work["over"],
        "jobs_refused": work["refused"],
        "mean_wait": figure(jobs.mean_wait_h(run), "h"),
        "site_energy": power["site_energy"],
        "energy_cost": power["cost"],
        "carbon": power["carbon"],
        "useful_gpu_h": goodput["useful_gpu_h"],
    }
