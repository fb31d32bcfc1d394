"""A recorded run again with other settings from a time on: what `gridhall replay --fork-at` does."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridhall.cli.running import RECORDING, Request, finish, read_origin, ready
from gridhall.engines.twin.assemble import to_plan
from gridhall.engines.twin.fork import run_fork
from gridhall.engines.twin.settings import OnProgress
from gridhall.engines.twin.tables import ParquetSink, run_folder
from gridhall.errors import fault
from gridhall.units import iso_utc, utc_ms


def moment_ms(text: str) -> int:
    """A date or time as ms UTC. Raises InputError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        mend = "write it as 2026-06-03 or 2026-06-03T12:00:00Z"
        raise fault("--fork-at", "", f"{text!r} is no date and time", mend) from error
    return utc_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def carry_out_fork(
    run: Path, at_ms: int, settings: dict[str, str], out: Path, on_progress: OnProgress
) -> dict[str, Any]:
    """Leave the fork's run folder at `out` and return its summary. Raises InputError; then there is no folder."""
    origin = read_origin(run / RECORDING)
    before = ready(origin)
    after = ready(Request(origin.scenario, out, origin.overrides | settings, base=origin.base))
    said = {"forked_from": run.name, "forked_at": iso_utc(at_ms), "set_at_fork": settings}
    with run_folder(out) as folder:
        sink = ParquetSink(folder)
        totals = run_fork(to_plan(before), to_plan(after), at_ms, run / RECORDING, sink, on_progress)
        return finish(folder, sink, after, totals, said)
