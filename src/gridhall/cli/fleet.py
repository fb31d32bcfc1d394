"""`gridhall fleet check|import`: what a fleet file adds up to, and a fleet file from what is already there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from gridhall.fleet import Rollup

app = typer.Typer(
    help="Fleet files: check one, or make one from a Slurm cluster or a list of nodes.", no_args_is_help=True
)

NO_TYPES: list[str] = []


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="Fleet file (YAML).")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what a fleet adds up to: sites and feeds, the first bottleneck of each hall, what is ready by when."""
    from dataclasses import asdict

    from gridhall.cli.say import as_json
    from gridhall.fleet import check_fleet, load_fleet

    rollup = check_fleet(load_fleet(file))
    if json:
        as_json(asdict(rollup))
    else:
        _print(rollup)


@app.command("import")
def import_(
    kind: Annotated[Literal["slurm", "nodes-csv"], typer.Argument(help="What is read.")],
    nodes: Annotated[Path, typer.Argument(help="Output of `scontrol show node`, or a CSV of nodes.")],
    out: Annotated[Path, typer.Option("--out", help="Fleet file to write.")],
    topology: Annotated[Path | None, typer.Option(help="Slurm's topology.conf.")] = None,
    site: Annotated[str, typer.Option(help="Name of the site.")] = "site",
    country: Annotated[str, typer.Option(help="Country of the site, two letters.")] = "ZZ",
    operator: Annotated[str, typer.Option(help="Who operates it.")] = "unknown",
    types: Annotated[
        list[str], typer.Option("--map", metavar="MODEL=TYPE", help="Catalogue type of a GPU model; may be repeated.")
    ] = NO_TYPES,
) -> None:
    """Write a fleet file for a cluster that exists; put real figures where it says that they are assumed."""
    from gridhall.cli.say import status
    from gridhall.errors import fault
    from gridhall.fleet import dump_fleet
    from gridhall.fleet.imports import SiteFacts, read_nodes_csv, read_slurm

    if out.exists():
        raise fault(str(out), "", "exists already", "choose another file with --out, or remove this one")
    facts = SiteFacts(site=site, country=country, operator=operator, types=_types(types))
    fleet = read_slurm(nodes, topology, facts) if kind == "slurm" else read_nodes_csv(nodes, facts)
    dump_fleet(fleet, out, comment=f"Imported by `gridhall fleet import {kind}`.")
    status(f"wrote {out}; look through it with: gridhall fleet check {out}")


def _types(pairs: list[str]) -> dict[str, str]:
    """`["a100=a100-sxm"]` as a mapping. Raises InputError where a pair is none."""
    from gridhall.errors import fault

    for pair in pairs:
        if not all(pair.partition("=")):
            raise fault("--map", pair, "is not MODEL=TYPE", "write it as --map tesla_v100=v100m32")
    return {model: type_ for model, _, type_ in (pair.partition("=") for pair in pairs)}


def _print(rollup: "Rollup") -> None:
    from gridhall.cli.say import as_table

    print(rollup.title)
    for note in rollup.notes:
        print(f"  note: {note}")
    capex = f"USD {rollup.capex_usd / 1e6:,.0f} m"
    print(f"\n{rollup.gpus:,} GPUs in {rollup.nodes:,} nodes and {rollup.racks:,} racks, {capex}")
    print(f"at most {rollup.peak_gpus:,} on line together, drawing {rollup.peak_it_w / 1e6:,.2f} MW of IT power\n")
    for title, counts in (("status", rollup.gpus_by_status), ("rests on", rollup.gpus_by_kind)):
        print(f"GPUs by {title}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    print()
    heads = ["site", "country", "status", "GPUs", "feed", "limit MW", "peak MW", "share"]
    as_table(heads, _sites(rollup), "lllrlrrr")
    print()
    as_table(
        ["hall", "hardware", "GPUs", "first bottleneck", "limit kW", "load kW", "share"], _halls(rollup), "llrlrrr"
    )
    print()
    as_table(["ready", "GPUs more", "GPUs on line", "IT MW", "USD m so far"], _timeline(rollup), "lrrrr")
    for warning in rollup.warnings:
        print(f"warning: {warning}")


def _sites(rollup: "Rollup") -> list[list[str]]:
    return [
        [
            site.site,
            site.country,
            site.status,
            f"{site.gpus:,}",
            feed.name,
            f"{feed.limit_mw:,.6g}",
            f"{feed.peak_site_w / 1e6:,.4g}",
            f"{feed.share:.0%}",
        ]
        for site in rollup.sites
        for feed in site.feeds
    ]


def _halls(rollup: "Rollup") -> list[list[str]]:
    return [
        [
            hall.hall,
            hall.hardware,
            f"{hall.gpus:,}",
            f"{hall.node} ({hall.node_kind})",
            f"{hall.limit_w / 1e3:,.6g}",
            f"{hall.load_w / 1e3:,.6g}",
            f"{hall.share:.0%}",
        ]
        for hall in rollup.halls
    ]


def _timeline(rollup: "Rollup") -> list[list[str]]:
    from gridhall.units import iso_utc

    return [
        [
            iso_utc(step.time_ms)[:10] if step.time_ms else "from the start",
            f"{step.added_gpus - step.retired_gpus:+,}",
            f"{step.online_gpus:,}",
            f"{step.online_it_w / 1e6:,.4g}",
            f"{step.capex_usd / 1e6:,.0f}",
        ]
        for step in rollup.timeline
    ]
