"""`gridhall work describe|generate`: what a workload is like, and synthetic work as a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gridhall.work import Workload
    from gridhall.work.describe import Description

app = typer.Typer(help="Work: describe a trace or a generated workload, or write one as a table.", no_args_is_help=True)

FleetOption = Annotated[Path | None, typer.Option(help="Fleet file that the work is for.")]
FormatOption = Annotated[
    str, typer.Option(help="sacct, swf, openb, m100, csv or parquet; for a profile, leave it out.")
]


@app.command("describe")
def describe(
    source: Annotated[str, typer.Argument(help="File of jobs, or the name of a profile such as acme-seren.")],
    format: FormatOption = "",
    mapping: Annotated[Path | None, typer.Option(help="Mapping file, for csv and parquet.")] = None,
    fleet: FleetOption = None,
    load: Annotated[float | None, typer.Option(help="Load of a profile, as a share of the fleet.")] = None,
    days: Annotated[float, typer.Option(help="Span of a profile, in days.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Seed of a profile.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the marginals of a workload; for a profile, beside the published ones."""
    from dataclasses import asdict

    from gridhall.cli.say import as_json
    from gridhall.work.describe import describe as describe_work

    hosts = _fleet(fleet)
    workload = _read(source, format, mapping, hosts) if format else _generate(source, load, None, days, seed, hosts)
    description = describe_work(workload, hosts)
    if json:
        as_json(asdict(description))
    else:
        _print(description)


@app.command("generate")
def generate(
    profile: Annotated[str, typer.Argument(help="Name of a profile, such as acme-seren.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    fleet: FleetOption = None,
    load: Annotated[float | None, typer.Option(help="Share of the fleet's GPU-time that is asked for.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Number of jobs.")] = None,
    days: Annotated[float, typer.Option(help="Span in days.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Seed.")] = 1,
) -> None:
    """Write the jobs of a profile as one parquet file."""
    from dataclasses import fields

    import polars as pl

    from gridhall.cli.say import status
    from gridhall.errors import fault
    from gridhall.work import JobTable

    if out.exists():
        raise fault(str(out), "", "exists already", "choose another file with --out, or remove this one")
    workload = _generate(profile, load, jobs, days, seed, _fleet(fleet))
    columns = [column.name for column in fields(JobTable)]
    frames = [pl.DataFrame({name: getattr(table, name) for name in columns}) for table in workload.chunks()]
    pl.concat(frames).write_parquet(out, compression="zstd")
    status(f"wrote {sum(frame.height for frame in frames):,} jobs to {out}; {workload.origin}")


def _fleet(path: Path | None) -> Any:
    from gridhall.engines.twin.assemble import read_fleet
    from gridhall.fleet import compile_fleet

    return None if path is None else compile_fleet(read_fleet(path))


def _read(source: str, format: str, mapping: Path | None, hosts: Any) -> "Workload":
    from gridhall.errors import fault
    from gridhall.work.readers import FORMATS, read_jobs

    if format not in FORMATS:
        raise fault("--format", "", f"there is no format {format!r}", f"use one of {', '.join(FORMATS)}")
    return read_jobs(Path(source), format, hosts, mapping=mapping)


def _generate(name: str, load: float | None, jobs: int | None, days: float, seed: int, hosts: Any) -> "Workload":
    from datetime import date

    from gridhall.errors import fault
    from gridhall.fleet import uniform_fleet
    from gridhall.units import DAY_MS, utc_ms
    from gridhall.work import PROFILES, profile
    from gridhall.work import generate as generate_work

    if name not in PROFILES:
        mend = f"use one of {', '.join(PROFILES)}, or give a file and its --format"
        raise fault("work", "", f"there is no profile {name!r}", mend)
    start_ms = utc_ms(date(2026, 1, 1))
    end_ms = start_ms + round(days * DAY_MS)
    fleet = hosts or uniform_fleet()
    return generate_work(profile(name), seed=seed, start_ms=start_ms, end_ms=end_ms, fleet=fleet, jobs=jobs, load=load)


def _print(description: "Description") -> None:
    from gridhall.cli.report.words import number
    from gridhall.cli.say import as_table
    from gridhall.units import iso_utc

    print(f"{description.title}\n{description.origin}")
    for note in description.notes:
        print(f"  note: {note}")
    span = f"{iso_utc(description.first_submit_ms)} to {iso_utc(description.last_submit_ms)}"
    print(f"\n{description.jobs:,} jobs, {span}, {number(description.gpu_hours)} GPU hours\n")
    shown = ["mean_run_s", "median_run_s", "mean_gpus", "max_gpus", "load", "stretch"]
    shown += ["shared_gpu", "preemptible", "anywhere", "checkpointing", "elastic"]
    values = [(name, getattr(description, name)) for name in shown]
    as_table(["figure", "value"], [[name.replace("_", " "), number(v)] for name, v in values if v is not None], "lr")
    if description.marginals:
        print(f"\npublished by {description.published_source}")
        rows = [
            [m.label, m.unit, number(m.reached), "–" if m.published is None else number(m.published)]
            for m in description.marginals
        ]
        as_table(["marginal", "unit", "reached", "published"], rows, "llrr")
    for name in ("size", "outcome", "priority", "organisation"):
        parts = getattr(description, f"by_{name}")[:20]
        print()
        as_table([name, "jobs", "GPU hours"], [[p.label, f"{p.jobs:,}", number(p.gpu_hours)] for p in parts], "lrr")
