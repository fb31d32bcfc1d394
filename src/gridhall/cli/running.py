"""One run from scenario to finished folder: what `simulate` and `sweep` share."""

import json
import os
import shutil
from collections.abc import Mapping
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
from gridhall.errors import fault

RECORDING = "recording"
"""Folder of the recorded events inside a run folder."""
ORIGIN = "origin.json"
"""In that folder: which scenario was run, with what laid over it, so that a fork can run it again. A copy of the
scenario stands beside it; the files that it names are looked for beside the original, wherever both were moved to."""
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Request:
    """A run that somebody asked for."""

    scenario: Path
    out: Path
    overrides: dict[str, str]
    record: bool = False
    base: Path | None = None
    """Folder that the scenario's paths are relative to; None = its own."""


def ready(request: Request) -> Prepared:
    """Read all that a run needs, so that nothing is begun that would be refused. Raises InputError."""
    prepared = prepare(load_scenario(request.scenario, request.overrides, request.base))
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
        recording = folder / RECORDING if request.record else None
        totals = run(to_plan(prepared, recording), sink, on_progress)
        if recording is not None:
            write_origin(request, recording)
        return finish(folder, sink, prepared, totals)


def finish(
    folder: Path, sink: ParquetSink, prepared: Prepared, totals: Totals, said: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Write summary and report beside a run's tables; `said` joins the provenance. Returns the summary."""
    sink.close()
    write_index(prepared.index, folder)
    summary = summary_of(folder, prepared, totals, said)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "report.html").write_text(render(folder, summary), "utf-8")
    return summary


def summary_of(folder: Path, prepared: Prepared, totals: Totals, also: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """The summary of a run whose tables stand in `folder`, money included."""
    said = provenance(prepared) | {"decision_digest": totals.digest, "state_hash": totals.state_hash} | dict(also)
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


def write_origin(request: Request, recording: Path) -> None:
    """Keep beside a recording what was asked for."""
    base = request.scenario.resolve().parent
    moved = os.path.relpath(base, request.out.resolve() / RECORDING)
    origin = {"scenario": request.scenario.name, "bases": [moved, str(base)], "set": request.overrides}
    shutil.copyfile(request.scenario, recording / request.scenario.name)
    (recording / ORIGIN).write_text(json.dumps(origin, indent=1) + "\n", "utf-8")


def read_origin(recording: Path) -> Request:
    """What was asked for. Raises InputError where the recording does not say."""
    path = recording / ORIGIN
    try:
        origin = json.loads(path.read_text("utf-8"))
        bases = [recording.resolve() / base for base in origin["bases"]]
        base = next((base for base in bases if (base / origin["scenario"]).is_file()), bases[-1])
        return Request(recording / origin["scenario"], Path(), dict(origin["set"]), True, base)
    except (OSError, ValueError, KeyError, TypeError) as error:
        mend = "name a folder that `gridhall simulate --record` wrote"
        raise fault(str(path), "", f"does not say what was recorded: {error!r}", mend) from error


def free_folder(scenario: Path, seed: int) -> Path:
    """`runs/NAME-seedN`, or that with a number behind where it is taken."""
    first = Path("runs") / f"{scenario.stem}-seed{seed}"
    tries = (first if number == 1 else first.with_name(f"{first.name}-{number}") for number in range(1, 1_000_000))
    return next(folder for folder in tries if not folder.exists())
