"""The report's sections: each takes what it shows from the summary and the tables, and says what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, cast

from gridhall.cli.report import charts, frames
from gridhall.cli.report.page import Page
from gridhall.cli.report.words import badge, figure_words, number, scaled, table, target_words
from gridhall.engines.twin.index import RunIndex

Summary = Mapping[str, Any]
MOST_FEEDS = 24
MOST_PROJECTS = 30


@dataclass(frozen=True)
class Source:
    """Where a report comes from."""

    run: Path
    index: RunIndex
    summary: Summary

    @property
    def site_names(self) -> list[str]:
        """Names of all sites."""
        return [site.name for site in self.index.sites]


def head(page: Page, source: Source) -> None:
    """Title, period, the scenario's own notes."""
    summary = source.summary
    period = summary["period"]
    page.add(f"<h1>{escape(summary['title'])}</h1>")
    page.add(
        f"<p>{period['start'][:10]} to {period['end'][:10]}, {period['days']:,.4g} days, simulated by Gridhall. "
        "Every figure says what it rests on: measured, published, assumed, synthetic or simulated.</p>"
    )
    notes = [str(note) for note in summary["provenance"].get("notes", [])]
    if notes:
        page.add('<div class="notes">' + "".join(f"<p>{escape(note)}</p>" for note in notes) + "</div>")


def tiles(page: Page, source: Source) -> None:
    """The figures that one asks for first."""
    summary = source.summary
    build, energy, use = summary["build_out"], summary["energy"], summary["use"]
    worked, ends = summary["goodput"], summary["jobs"]
    announced = f"of {figure_words(build['gpus_announced'])} announced"
    fullest = max(summary["power"], key=lambda feed: feed["peak_of_limit"]["value"] or 0)
    rows = [
        ("GPUs on line at the end", build["gpus_on_line_at_end"], announced),
        ("Money spent on them", build["capex_spent"], f"of {figure_words(build['capex_announced'])} for all"),
        ("Utilisation", use["utilisation"], f"of {figure_words(use['online_gpu_h'])} on line"),
        ("Goodput", worked["goodput"], f"{figure_words(worked['useful_gpu_h'])} of useful work"),
        ("Jobs run to their end", ends["over"], f"of {figure_words(ends['submitted'])} submitted"),
        ("Mean wait", summary["headline"]["mean_wait"], f"{figure_words(ends['refused'])} jobs refused"),
        ("Site energy", energy["site_energy"], f"{figure_words(energy['it_energy'])} of it IT"),
        ("Electricity", energy["cost"], f"at {figure_words(energy['mean_price'])} on average"),
        ("Carbon", energy["carbon"], "of the electricity"),
        ("Fullest feed", fullest["peak_of_limit"], f"{fullest['site']}, highest minute"),
    ]
    page.add('<div class="tiles">' + "".join(_tile(*row) for row in rows) + "</div>")


def _tile(name: str, figure: Mapping[str, Any], more: str) -> str:
    value = escape(figure_words(figure))
    return (
        f'<div class="tile"><div class="name">{escape(name)}</div><div class="value">{value}</div>'
        f'<div class="more">{escape(more)}</div>{badge(figure["basis"])}</div>'
    )


def build_out(page: Page, source: Source) -> None:
    """GPUs on line against announced, and the money spent on them."""
    build, bins = source.summary["build_out"], frames.grid(source.index, 370)
    page.section("GPUs on line against announced", "Racks come on line when the fleet file says that they are ready.")
    online = frames.on_line(source.run, source.index, bins)
    announced = build["gpus_announced"]["value"]
    page.add(page.chart(charts.on_line(bins, source.site_names, online, announced)))
    page.add(_caption(f"Announced: {badge(build['gpus_announced']['basis'])} On line: dates of the fleet file. "
                      f"Drawn in steps of {frames.bin_words(bins)}."))  # fmt: skip
    line = source.summary["provenance"].get("money_line")
    usd = frames.spent_usd(source.index, bins)
    if not usd.any():
        return
    label = f"{line['value_usd'] / 1e6:,.0f} million USD: {line['label']}" if line else ""
    page.add(page.chart(charts.spent(bins, usd, line["value_usd"] if line else None, label), "Money spent, USD"))
    rests = f"Price per GPU: {badge(build['capex_spent']['basis'])} as the fleet file states it. "
    page.add(_caption(rests + (f"The line: {escape(line['source'])}" if line else "")))


def use(page: Page, source: Source) -> None:
    """Utilisation of every site over time."""
    bins = frames.grid(source.index, 370)
    page.section("Utilisation", "Share of the GPUs on line that are allocated to work; gaps are times without racks.")
    values = frames.utilisation(source.run, source.index, bins)
    page.add(page.chart(charts.heat_strip(bins, source.site_names, values)))
    hours = source.summary["use"]
    page.add(_caption(f"{badge('simulated')} Of {figure_words(hours['online_gpu_h'])} on line, "
                      f"{figure_words(hours['down_gpu_h'])} were down and {figure_words(hours['idle_gpu_h'])} "
                      f"stood idle. One column is {frames.bin_words(bins)}."))  # fmt: skip


def queue(page: Page, source: Source) -> None:
    """The queue by reason, and waits by size."""
    bins = frames.grid(source.index, 370)
    page.section("Who waits, and why", "Every waiting job has one stated reason at any time.")
    page.add(page.chart(charts.queue(bins, frames.waiting(source.run, bins)), "Jobs waiting, by reason"))
    page.add(_caption(f"{badge('simulated')} Counted every hour; one point is the mean of {frames.bin_words(bins)}."))
    rows = [row for row in source.summary["waits"] if row["p50_h"]["value"] is not None]
    if rows:
        page.add(page.chart(charts.waits(rows), "Wait from submission to first start, by size of the gang"))
    stuck = sum(row["jobs_waiting_at_end"]["value"] for row in source.summary["waits"])
    page.add(_caption(f"{badge('simulated')} Jobs that started; waits under a minute are drawn at one minute. "
                      f"{stuck:,} jobs still waited at the end and are not in these figures."))  # fmt: skip


def power(page: Page, source: Source) -> None:
    """Every feed against its limit."""
    bins = frames.grid(source.index, 250)
    lead = "Whole-site power: IT power times the declared PUE. The dashed line is what the feed may carry."
    page.section("Power against each feed's limit", lead)
    series = frames.feeds(source.run, source.index, bins)
    scale = {feed["feed"]: feed["limit"]["value"] for feed in source.summary["power"]}
    shown = sorted(range(len(series)), key=lambda n: -source.index.feeds[n].limit_it_w)[:MOST_FEEDS]
    cells = [
        page.chart(charts.feed(bins, series[n], scale[source.index.feeds[n].name]), source.index.feeds[n].name)
        for n in shown
        if source.index.feeds[n].name in scale
    ]
    page.add(f'<div class="three">{"".join(cells)}</div>')
    over = sum(feed["minutes_over_limit"]["value"] for feed in source.summary["power"])
    left = f" The {len(series) - len(shown)} smallest feeds are not drawn." if len(series) > len(shown) else ""
    page.add(_caption(f"{badge('simulated')} Dark line: mean; light line: highest minute; grey: committed. A point is "
                      f"{frames.bin_words(bins)}. Minutes above a limit: {over:,}.{left}"))  # fmt: skip


def load_targets(page: Page, source: Source) -> None:
    """Every load target: the feed's draw minute by minute, and how the target was kept."""
    kept = source.summary["targets"]
    if not kept:
        return
    lead = "At the feed's meter. Gangs whose flex tier allows it stand still, so that the feed keeps to its target."
    page.section("Load targets", lead)
    for target, told in zip(source.index.targets, kept, strict=True):
        bins = frames.around(source.index, target)
        draw = frames.feed_mw(source.run, source.index, target.power, bins)
        steps = frames.allowed_mw(source.index, target.power, bins)
        title = f"{told['feed']}, {told['start'][:16].replace('T', ' ')} to {told['end'][:16].replace('T', ' ')} UTC"
        page.add(page.chart(charts.load_target(bins, draw, steps, told["drawn_before"]["value"]), title))
        page.add(_caption(f"{badge('simulated')} {escape(target_words(told))} One point is {frames.bin_words(bins)}."))
    page.add(_caption(f"{badge('assumed')} The targets, and how long a gang takes to stand still. The baseline is "
                      "nominated: the draw in the minute before, held flat. Power at the meter is IT power times the "
                      "declared PUE. Over the run gangs stood still for "
                      f"{figure_words(source.summary['paused_gpu_h'])}."))  # fmt: skip


def energy(page: Page, source: Source) -> None:
    """Energy, cost and carbon by month."""
    summary, rests = source.summary["energy"], source.summary["provenance"]
    page.section("Energy, cost and carbon by month", "Prices and carbon intensity are taken every quarter of an hour.")
    months = summary["by_month"]
    names = [row["month"] for row in months]
    cells: list[str] = []
    for key, title in (("site_energy", "Site energy"), ("cost", "Electricity cost"), ("carbon", "Carbon")):
        values = [row[key]["value"] for row in months]
        scale, unit = scaled(max(values, default=0), summary[key]["unit"])
        cells.append(page.chart(charts.months(names, [value / scale for value in values], unit), title))
    page.add(f'<div class="three">{"".join(cells)}</div>')
    said = [f"{word}: {badge(entry['basis'])} {escape(entry['source'])}" for word, entry in _series(rests)]
    page.add(_caption("Energy: " + badge("simulated") + " " + " ".join(said)))


def _series(rests: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (f"{word} in {entry['country']}", entry)
        for word, key in (("Price", "prices"), ("Carbon", "carbon"))
        for entry in rests.get(key, [])
    ]


def goodput(page: Page, source: Source) -> None:
    """From allocated GPU-time to useful work."""
    summary = source.summary["goodput"]
    allocated = summary["allocated_gpu_h"]["value"]
    if not allocated:
        return
    page.section("Goodput: from allocated to useful", "What failures, pre-emption, restarts and checkpoints took away.")
    losses = [(cause, lost["value"] / allocated * 100) for cause, lost in summary["lost_gpu_h"].items()]
    useful = summary["useful_gpu_h"]["value"] / allocated * 100
    steps = [("allocated", 100.0, "total"), *((cause, -lost, "relative") for cause, lost in losses)]
    floor = max(0.0, 100 - 1.35 * max(0.01, 100 - useful))
    page.add(page.chart(charts.waterfall([*steps, ("useful", useful, "total")], "% of allocated", floor, 2)))
    names = {"node_failures": "node failures", "restarts": "restarts", "preemptions": "pre-emptions"}
    counts = ", ".join(f"{name} {figure_words(summary[key])}" for key, name in names.items())
    page.add(_caption(f"{badge('simulated')} The axis begins at {number(floor)} %, so bars show differences, not "
                      f"proportions. Over the run: {counts}."))  # fmt: skip


def topology(page: Page, source: Source) -> None:
    """How far gangs were spread."""
    rows = source.summary["topology"]
    if not rows:
        return
    page.section("Topology: how far gangs were spread", "The smallest part of the fleet that held the whole gang.")
    cells = [
        [charts.class_name(row), *(figure_words(row[key]) for key in ("jobs", "racks_mean", "racks_least_mean"))]
        for row in rows
    ]
    head_row = ["gang", "jobs", "racks, mean", "fewest possible"]
    page.add(f'<div class="pair">{page.chart(charts.spread(rows))}{table(head_row, cells, "lrrr")}</div>')
    page.add(_caption(f"{badge('simulated')} Share of each class's gangs, by the last place that they ran in."))


def sovereignty(page: Page, source: Source) -> None:
    """GPU-hours by project and country, and what was refused."""
    rows = source.summary["tenants"]
    page.section(
        "Sovereignty: where each project's work ran", "GPU-hours by project and country, and what was refused."
    )
    countries = sorted({country for row in rows for country in row["gpu_h"]})
    shown = [_tenant(row, countries) for row in rows[:MOST_PROJECTS]]
    if len(rows) > MOST_PROJECTS:
        shown.append(_rest(rows[MOST_PROJECTS:], countries))
    heads = ["project", "organisation", *(f"{country}, GPU h" for country in countries), "jobs", "refused", "waiting"]
    page.add(table(heads, shown, "ll" + "r" * (len(countries) + 3)))
    said = ", ".join(f"{figure_words(row['jobs'])} for {row['reason']}" for row in source.summary["refusals"])
    page.add(
        _caption(f"{badge('simulated')} Refused jobs: {said or 'none'}. Country: that of the site which ran the work.")
    )


def _tenant(row: Mapping[str, Any], countries: list[str]) -> list[str]:
    hours = [number(row["gpu_h"][c]["value"]) if c in row["gpu_h"] else "–" for c in countries]
    counts = [figure_words(row[key]) for key in ("jobs", "jobs_refused", "jobs_waiting_at_end")]
    return [escape(row["project"]), escape(row["organisation"]), *hours, *counts]


def _rest(rows: list[Mapping[str, Any]], countries: list[str]) -> list[str]:
    hours = [sum(row["gpu_h"].get(c, {"value": 0})["value"] for row in rows) for c in countries]
    counts = [sum(row[key]["value"] for row in rows) for key in ("jobs", "jobs_refused", "jobs_waiting_at_end")]
    return [f"{len(rows)} other projects", "", *(number(value) for value in [*hours, *counts])]


def money(page: Page, source: Source) -> None:
    """Revenue and margin at stated prices; for fictional operators only."""
    summary = source.summary.get("money")
    page.section("Revenue and margin", "At the prices that the scenario states, for a fictional operator.")
    if summary is None:
        page.add(
            _caption(
                "Not drawn: prices and margins are shown for fictional operators only, and this scenario states none."
            )
        )
        return
    keys = (
        ("revenue", "revenue", 1),
        ("energy", "energy", -1),
        ("hardware", "capex_share", -1),
        ("margin", "margin", 1),
    )
    scale, unit = scaled(max(abs(summary[key]["value"]) for _, key, _ in keys), summary["revenue"]["unit"])
    steps = [
        (name, sign * summary[key]["value"] / scale, "total" if sign > 0 else "relative") for name, key, sign in keys
    ]
    floor = min(0.0, steps[-1][1] * 1.2)
    page.add(page.chart(charts.waterfall(steps, unit, floor, 2)))
    page.add(_caption(f"{badge('assumed')} {escape(summary['operator'])}. {escape(summary['rests_on'])}"))


def provenance(page: Page, source: Source) -> None:
    """What the run rests on, enough to repeat it."""
    page.section("Provenance", "What this report rests on, and all that it takes to make it again.")
    rows = [
        [escape(key.replace("_", " ")), _value(value)]
        for key, value in source.summary["provenance"].items()
        if key not in ("notes", "prices", "carbon", "money_line") and value not in (None, [], {})
    ]
    page.add(table(["what", "value"], rows))
    page.add("<footer>Made by Gridhall. The tables behind every chart are parquet files beside this report.</footer>")


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "<br>".join(escape(str(entry)) for entry in cast("list[Any]", value))
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value).items()
        return "<br>".join(f"{escape(key)}: {escape(str(entry))}" for key, entry in entries)
    return f"<code>{escape(str(value))}</code>"


def _caption(html: str) -> str:
    return f'<p class="caption">{html}</p>'
