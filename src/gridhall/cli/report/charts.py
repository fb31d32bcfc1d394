"""The report's charts as plain data: what plotly draws, with colour tokens in place of colours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridhall.cli.report.frames import FeedSeries, Grid
from gridhall.cli.report.theme import HEAT, OTHER, SERIES, STEPS
from gridhall.cli.report.words import number, scaled
from gridhall.units import iso_utc

Chart = dict[str, Any]
Floats = NDArray[np.float64]

REASON_COLOURS = {
    "capacity": "@s1",
    "topology": "@s5",
    "quota": "@s4",
    "held for a reservation": "@s7",
    "power": "@s8",
    "site not ready": "@s3",
    "no allowed place": "@s2",
    "spares kept": "@s6",
}


def on_line(bins: Grid, names: Sequence[str], per_site: Sequence[Floats], announced: int) -> Chart:
    """GPUs on line stacked by site, under a line at what was announced."""
    traces = [
        {**_times(bins, values), **_area(SERIES[number]), "name": name, "line": {"width": 0, "shape": "hv"}}
        for number, (name, values) in enumerate(_fold(names, per_site))
    ]
    top = announced * 1.12
    line = _level(announced, f"announced: {announced:,} GPUs")
    return {"data": traces, "layout": {"height": 380, "yaxis": {"range": [0, top], "tickformat": ","}, **line}}


def spent(bins: Grid, usd: Floats, line_usd: float | None, label: str) -> Chart:
    """Money spent on racks that are on line, and an announced sum as a line."""
    scale, unit = scaled(max(float(usd.max()), line_usd or 0), "USD")
    trace = {**_times(bins, usd / scale), "type": "scatter", "mode": "lines", "name": "spent"}
    trace |= {"line": {"color": SERIES[0], "width": 2.5, "shape": "hv"}, "fill": "tozeroy", "fillcolor": "@band"}
    top = max(float(usd.max()), line_usd or 0) / scale * 1.15 or 1
    axis = {"range": [0, top], "title": {"text": unit}}
    level = _level(line_usd / scale, label) if line_usd else {}
    return {"data": [trace], "layout": {"height": 340, "yaxis": axis, "showlegend": False, **level}}


def heat_strip(bins: Grid, names: Sequence[str], per_site: Sequence[Floats]) -> Chart:
    """Utilisation of each site over time, one strip a site, the first site on top."""
    trace = {
        "type": "heatmap",
        "x0": iso_utc(bins.start_ms),
        "dx": bins.step_ms,
        "y": list(reversed(names)),
        "z": [_thin(values) for values in reversed(per_site)],
        "zmin": 0,
        "zmax": 1,
        "colorscale": HEAT,
        "ygap": 4,
        "hoverongaps": False,
        "hovertemplate": "%{y}<br>%{x}<br>%{z:.1%}<extra></extra>",
        "colorbar": {"tickformat": ".0%", "thickness": 10, "outlinewidth": 0, "len": 1.0},
    }
    axes = {"yaxis": {"automargin": True, "showgrid": False}, "xaxis": {"type": "date", "showgrid": False}}
    return {"data": [trace], "layout": {"height": 120 + 40 * len(names), **axes}}


def queue(bins: Grid, by_reason: Mapping[str, Floats]) -> Chart:
    """Waiting jobs stacked by the reason why they wait."""
    order = sorted(by_reason, key=lambda reason: -float(np.nansum(by_reason[reason])))
    traces = [
        {**_times(bins, by_reason[reason]), **_area(REASON_COLOURS.get(reason, OTHER)), "name": reason}
        for reason in order
    ]
    axis = {"rangemode": "tozero", "title": {"text": "jobs waiting"}, "tickformat": ","}
    return {"data": traces, "layout": {"height": 380, "yaxis": axis}}


def waits(rows: Sequence[Mapping[str, Any]]) -> Chart:
    """Waits by size class on a logarithmic axis: median, 90th and 99th percentile joined by a line, and the mean."""
    rows = [row for row in rows if row["p50_h"]["value"] is not None]
    names = [class_name(row) for row in rows]
    floor = 1 / 60
    points = {key: [max(floor, row[f"{key}_h"]["value"]) for row in rows] for key in ("p50", "p90", "p99", "mean")}
    spans_x = [x for low, high in zip(points["p50"], points["p99"], strict=True) for x in (low, high, None)]
    spans_y = [name for name in names for _ in range(3)]
    line = {"color": "@grid", "width": 5}
    traces: list[Chart] = [
        {"type": "scatter", "mode": "lines", "x": spans_x, "y": spans_y, "line": line, "showlegend": False}
        | {"hoverinfo": "skip"}
    ]
    looks = (("p50", "median", STEPS[1]), ("p90", "90th percentile", STEPS[2]), ("p99", "99th percentile", STEPS[3]))
    for key, name, colour in looks:
        traces.append(_dots(points[key], names, name, {"color": colour, "size": 12}))
    hollow = {"color": "@surface", "size": 9, "symbol": "diamond", "line": {"color": "@ink", "width": 1.5}}
    traces.append(_dots(points["mean"], names, "mean", hollow))
    ticks = [1 / 60, 1 / 6, 1, 6, 24, 168, 720]
    axis = {"type": "log", "tickvals": ticks, "ticktext": ["1 min", "10 min", "1 h", "6 h", "1 day", "1 week", "30 d"]}
    layout = {"height": 130 + 46 * len(rows), "xaxis": axis, "yaxis": {"automargin": True, "autorange": "reversed"}}
    return {"data": traces, "layout": layout}


def _dots(x: Sequence[float], y: Sequence[str], name: str, marker: Chart) -> Chart:
    hover = f"%{{y}}<br>{name}: %{{x:.2f}} h<extra></extra>"
    return {"type": "scatter", "mode": "markers", "x": _round(x), "y": y, "name": name, "marker": marker} | {
        "hovertemplate": hover
    }


def feed(bins: Grid, series: FeedSeries, limit_mw: float) -> Chart:
    """Power of one feed: mean and highest minute of each bin, what is committed, and the limit."""
    scale, unit = scaled(limit_mw, "MW")
    looks = (
        ("committed", series.committed, {"color": OTHER, "width": 1}),
        ("highest minute", series.peak, {"color": "@step2", "width": 1}),
        ("mean", series.mean, {"color": SERIES[0], "width": 1.5}),
    )
    traces = [
        {**_times(bins, values / scale), "type": "scatter", "mode": "lines", "name": name, "line": line}
        for name, values, line in looks
    ]
    traces[-1] |= {"fill": "tozeroy", "fillcolor": "@band"}
    axis = {"range": [0, limit_mw / scale * 1.2 or 1], "nticks": 4, "title": {"text": unit}}
    layout = {"height": 190, "yaxis": axis, "xaxis": {"type": "date", "nticks": 5}, "showlegend": False}
    layout |= {"margin": {"l": 52, "r": 8, "t": 6, "b": 26}}
    layout |= _level(limit_mw / scale, f"limit {number(limit_mw / scale)} {unit}")
    return {"data": traces, "layout": layout}


def load_target(bins: Grid, draw: Floats, steps: Sequence[tuple[int, float]], before_mw: float | None) -> Chart:
    """A feed's draw under a load target: what it may draw (`steps`: from when, MW), and the draw before, flat."""
    end_ms = bins.start_ms + bins.count * bins.step_ms
    corners = [*steps, (end_ms, steps[-1][1])]
    allowed = {"x": [iso_utc(time) for time, _ in corners], "y": _round([mw for _, mw in corners]), "type": "scatter"}
    allowed |= {
        "mode": "lines",
        "name": "target; the limit outside it",
        "line": {"color": "@limit", "width": 2, "shape": "hv"},
    }
    draws = {**_times(bins, draw), "type": "scatter", "mode": "lines", "name": "draw", "fill": "tozeroy"}
    draws |= {"fillcolor": "@band", "line": {"color": SERIES[0], "width": 1.5}}
    traces = [draws, allowed]
    if before_mw is not None:
        flat = {"x": [iso_utc(bins.start_ms), iso_utc(end_ms)], "y": _round([before_mw] * 2), "type": "scatter"}
        flat |= {"mode": "lines", "name": "draw before, held flat", "line": {"color": OTHER, "width": 1, "dash": "dot"}}
        traces.append(flat)
    top = max(float(np.nanmax(draw, initial=0.0)), *(mw for _, mw in steps))
    axis = {"range": [0, top * 1.08 or 1], "title": {"text": "MW"}}
    return {"data": traces, "layout": {"height": 320, "yaxis": axis, "xaxis": {"type": "date"}}}


def months(names: Sequence[str], values: Sequence[float], unit: str) -> Chart:
    """One bar a month."""
    labels = {
        "texttemplate": "%{y:.3~r}",
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"size": 9},
        "constraintext": "none",
    }
    trace = {"type": "bar", "x": names, "y": _round(values), "marker": {"color": SERIES[0]}, "name": unit, **labels}
    trace |= {"hovertemplate": f"%{{x}}<br>%{{y:,.4s}} {unit}<extra></extra>"}
    axes = {"xaxis": {"type": "category", "tickangle": -60, "showgrid": False}, "yaxis": {"title": {"text": unit}}}
    layout = {"height": 260, "showlegend": False, "bargap": 0.35, "margin": {"l": 56, "r": 8, "t": 20, "b": 54}, **axes}
    return {"data": [trace], "layout": layout}


def waterfall(steps: Sequence[tuple[str, float, str]], unit: str, floor: float, decimals: int) -> Chart:
    """A start, what is taken from it and what is left; the axis starts at `floor`.

    A step is a name, a value and `total` or `relative`.
    """
    text = [f"{value:+,.{decimals}f}" if kind == "relative" else f"{value:,.{decimals}f}" for _, value, kind in steps]
    trace = {
        "type": "waterfall",
        "x": [name for name, _, _ in steps],
        "y": [value for _, value, _ in steps],
        "measure": ["absolute" if number == 0 else kind for number, (_, _, kind) in enumerate(steps)],
        "text": text,
        "textposition": "outside",
        "cliponaxis": False,
        "connector": {"line": {"color": "@grid", "width": 1}},
        "decreasing": {"marker": {"color": "@s6"}},
        "increasing": {"marker": {"color": "@s5"}},
        "totals": {"marker": {"color": SERIES[0]}},
        "hovertemplate": f"%{{x}}: %{{text}} {unit}<extra></extra>",
    }
    top = floor + (max(value for _, value, _ in steps) - floor) * 1.12
    axis = {"range": [floor, top], "title": {"text": unit}}
    return {
        "data": [trace],
        "layout": {"height": 340, "yaxis": axis, "xaxis": {"showgrid": False}, "showlegend": False},
    }


def spread(rows: Sequence[Mapping[str, Any]]) -> Chart:
    """The level of the fleet that held each gang whole, as shares of each size class."""
    names = [class_name(row) for row in rows]
    labels = {"rack": "one rack", "pod": "one pod", "hall": "one hall", "site": "one site"}
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "y": names,
            "x": _round([row["held_by"][level]["value"] or 0 for row in rows]),
        }
        | {"name": label, "marker": {"color": STEPS[number], "line": {"color": "@surface", "width": 1}}}
        | {"hovertemplate": f"%{{y}}: %{{x:.1%}} within {label}<extra></extra>"}
        for number, (level, label) in enumerate(labels.items())
    ]
    axes = {"xaxis": {"tickformat": ".0%", "range": [0, 1.001]}, "yaxis": {"automargin": True, "autorange": "reversed"}}
    return {"data": traces, "layout": {"barmode": "stack", "bargap": 0.35, "height": 130 + 40 * len(rows), **axes}}


def class_name(row: Mapping[str, Any]) -> str:
    """`1 GPU`, `2-8 GPUs`: a size class in words."""
    return f"{row['gpus']} GPU" if row["gpus"] == "1" else f"{row['gpus']} GPUs"


def _times(bins: Grid, values: Floats) -> Chart:
    return {"x0": iso_utc(bins.start_ms), "dx": bins.step_ms, "y": _thin(values)}


def _area(colour: str) -> Chart:
    return {"type": "scatter", "mode": "lines", "stackgroup": "one", "line": {"width": 0}, "fillcolor": colour} | {
        "marker": {"color": colour}
    }


def _fold(names: Sequence[str], series: Sequence[Floats]) -> list[tuple[str, Floats]]:
    """At most as many series as there are colours: the smallest become one called `other sites`."""
    if len(names) <= len(SERIES):
        return list(zip(names, series, strict=True))
    order = sorted(range(len(names)), key=lambda number: -float(np.nansum(series[number])))
    kept, rest = sorted(order[: len(SERIES) - 1]), order[len(SERIES) - 1 :]
    other = np.nansum([series[number] for number in rest], axis=0)
    return [*((names[number], series[number]) for number in kept), (f"{len(rest)} other sites", other)]


def _level(value: float, label: str) -> Chart:
    """A dashed line across the chart with its label above its left end."""
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value}
    line |= {"line": {"color": "@limit", "width": 1.5, "dash": "dash"}}
    text = {"xref": "paper", "x": 0.01, "y": value, "text": label, "showarrow": False, "xanchor": "left"}
    text |= {"yanchor": "bottom", "font": {"color": "@limit", "size": 12}}
    return {"shapes": [line], "annotations": [text]}


def _thin(values: Floats) -> list[float | None]:
    """Five significant digits, None for NaN: what JSON can carry and an eye can see."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist()]


def _round(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
