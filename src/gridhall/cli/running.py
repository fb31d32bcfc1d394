"""One run from scenario to finished folder: what `simulate` and `sweep` share."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridhall.cli.report import render
from gridhall.cli.statement import check_money, money_section
from gridhall.engines.twin.assemble import Prepared, capex_basis, gpus_basis, prepare, provenance, to_plan
from gridhall.engines.twin.index import write_index
from gridhall.engines.twin.run import run
from gridhall.engines.twin.scenario_file import load_scenario
from gridhall.engines.twin.settings import OnProgress, Totals
from gridhall.engines.twin.summary import RunFacts, summarise
from gridhall.engines.twin.tables import ParquetSink, run_folder

RECORDING = "recording"
"""Folder of the recorded events inside a run folder."""


@dataclass(frozen=True)
class Request:
    """A run that somebody asked for."""

    scenario: Path
    out: Path
    overrides: dict[str, str]
    record: bool = False


def ready(request: Request) -> Prepared:
    """Read all that a run needs, so that nothing is begun that would be refused. Raises InputError."""
    prepared = prepare(load_scenario(request.scenario, request.overrides))
    check_money(prepared)
    return prepared


def carry_out(
    request: Request, on_progress: OnProgress | None = None, prepared: Prepared | None = None
) -> dict[str, Any]:
    """Run a scenario, leave the finished folder at `request.out` and return the summary.

    Raises InputError for faults in the input; then, as after an interrupt, there is no folder.
    """
    prepared = prepared or ready(request)
    with run_folder(request.out) as folder:
        sink = ParquetSink(folder)
        plan = to_plan(prepared, folder / RECORDING if request.record else None)
        totals = run(plan, sink, on_progress)
        sink.close()
        write_index(prepared.index, folder)
        summary = summary_of(folder, prepared, totals)
        (folder / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (folder / "report.html").write_text(render(folder, summary), "utf-8")
    return summary


def summary_of(folder: Path, prepared: Prepared, totals: Totals) -> dict[str, Any]:
    """The summary of a run whose tables stand in `folder`, money included."""
    said = provenance(prepared) | {"decision_digest": totals.digest, "state_hash": totals.state_hash}
    facts = RunFacts(
        title=prepared.scenario.title,
        index=prepared.index,
        prices=prepared.prices,
        carbon=prepared.carbon,
        currency=prepared.scenario.price.currency,
        totals=totals,
        gpus_basis=gpus_basis(prepared.fleet_file),
        capex_basis=capex_basis(prepared.fleet_file),
        provenance=said,
    )
    summary = summarise(folder, facts)
    money = money_section(folder, prepared, summary["energy"]["cost"]["value"] or 0.0)
    return summary if money is None else {**summary, "money": money}


def free_folder(scenario: Path, seed: int) -> Path:
    """`runs/NAME-seedN`, or that with a number behind where it is taken."""
    first = Path("runs") / f"{scenario.stem}-seed{seed}"
    tries = (first if number == 1 else first.with_name(f"{first.name}-{number}") for number in range(1, 1_000_000))
    return next(folder for folder in tries if not folder.exists())
