"""The report's charts as Plotly's own JSON; every one of them also stands in a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from devnet.report.amounts import WAD, plotted
from devnet.report.load import Load
from devnet.report.story import Story

# More lines than this nobody can tell apart: the rest is drawn as one.
MOST_SERIES: Final = 12
MOST_TICKS: Final = 15
_PER_CENT_PLACES: Final = 16

Figure = dict[str, Any]

UTILIZATION_AXIS: Final[Figure] = {  # beside that of prices
    "title": {"text": "utilization, %"},
    "overlaying": "y",
    "side": "right",
    "range": [0, 100],
    "tickmode": "linear",
    "dtick": 25,
    "showgrid": False,
}


def figures(story: Story) -> dict[str, Figure]:
    """By the id of the element each is drawn into; an empty chart is left out."""
    made: dict[str, Figure] = {}
    cycles = story.cycles.cycles
    if any(cycle.v for cycle in cycles):
        made["chart-v"] = _figure(
            _by_cycle(story, {c.number: c.v for c in cycles}, "scatter"), "V (1 = reference)"
        )
    if any(cycle.shares for cycle in cycles):
        shares = {c.number: c.shares for c in cycles if c.ended}
        made["chart-rewards"] = _figure(_by_cycle(story, shares, "bar"), "KOMP", barmode="stack")
    if story.load is not None and story.load.stages:
        made["chart-stages"] = _stages(story.load)
        made["chart-throughput"] = _throughput(story)
    for resource in story.prices.points:
        made[price_chart(resource)] = _price(story, resource)
    return made


def price_chart(resource: str) -> str:
    """The id of a resource's chart."""
    return "chart-price-" + resource.replace("_", "-").replace(" ", "-")


def _stages(load: Load) -> Figure:
    """Percentiles of each stage beside what its 95th may be at most; logarithmic."""
    names = [stage.name for stage in load.stages]
    bars: list[Figure] = [
        {"type": "bar", "name": "p50", "x": names, "y": [max(1, s.p50) for s in load.stages]},
        {"type": "bar", "name": "p95", "x": names, "y": [max(1, s.p95) for s in load.stages]},
        {
            "type": "scatter",
            "mode": "markers",
            "name": "limit of p95",
            "x": names,
            "y": [stage.limit for stage in load.stages],
            "marker": {"symbol": "line-ew-open", "size": 24},
        },
    ]
    most = max(max(stage.p95, stage.limit) for stage in load.stages)
    axes = {
        "xaxis": {"type": "category", "title": {"text": ""}},
        # in decades, so that a bar of 5 ms is seen beside a limit of 5 s
        "yaxis": {
            "title": {"text": "milliseconds"},
            "type": "log",
            "dtick": 1,
            "range": [0, len(str(most))],
        },
    }
    return {"data": bars, "layout": axes | {"barmode": "group"}}


def _throughput(story: Story) -> Figure:
    """Transactions of each block, those of empty ones told by the gap."""
    trace: Figure = {
        "type": "bar",
        "name": "transactions",
        "x": [number for number, _ in story.block_transactions],
        "y": [count for _, count in story.block_transactions],
    }
    axes = {
        "xaxis": {"title": {"text": "block"}, "tickformat": "d"},
        "yaxis": {"title": {"text": "transactions"}, "rangemode": "tozero"},
    }
    return {"data": [trace], "layout": axes}


def _by_cycle(story: Story, values: Mapping[int, Mapping[str, int]], kind: str) -> list[Figure]:
    numbers = sorted(values)
    nodes = _ranked(story.cycles.nodes, values)
    drawn, rest = nodes[:MOST_SERIES], nodes[MOST_SERIES:]
    series = [(story.name(node), [values[n].get(node) for n in numbers]) for node in drawn]
    if rest:
        together = [sum(values[n].get(node, 0) for node in rest) for n in numbers]
        series.append((f"{len(rest)} others", list(together)))
    traces: list[Figure] = []
    for name, amounts in series:
        trace: Figure = {
            "type": kind,
            "name": name,
            "x": numbers,
            "y": [None if amount is None else plotted(amount) for amount in amounts],
        }
        if kind == "scatter":
            trace |= {"mode": "lines+markers", "connectgaps": False}
        traces.append(trace)
    return traces


def _ranked(nodes: Iterable[str], values: Mapping[int, Mapping[str, int]]) -> list[str]:
    order = list(nodes)
    if len(order) <= MOST_SERIES:
        return order
    return sorted(order, key=lambda node: -sum(of.get(node, 0) for of in values.values()))


def _figure(traces: list[Figure], unit: str, **layout: Any) -> Figure:
    numbers = traces[0]["x"]
    axis = {
        "title": {"text": "cycle"},
        "tickformat": "d",
        "dtick": 1 if len(numbers) <= MOST_TICKS else None,
        "range": [numbers[0] - 0.5, numbers[-1] + 0.5],
    }
    base = {"xaxis": axis, "yaxis": {"title": {"text": unit}, "rangemode": "tozero"}}
    return {"data": traces, "layout": base | layout}


def _price(story: Story, resource: str) -> Figure:
    points = story.prices.points[resource]
    times = [_time(point.timestamp) for point in points]
    step: Figure = {"type": "scatter", "mode": "lines", "line": {"shape": "hv"}, "x": times}
    utilization = [
        plotted(WAD if point.utilization is None else point.utilization, _PER_CENT_PLACES)
        for point in points
    ]
    return {
        "data": [
            step | {"name": "price", "y": [plotted(point.price) for point in points]},
            step
            | {
                "name": "median of the clouds",
                "y": [plotted(point.median) for point in points],
                "line": {"shape": "hv", "dash": "dash"},
            },
            step
            | {
                "name": "utilization",
                "y": utilization,
                "yaxis": "y2",
                "line": {"shape": "hv", "dash": "dot"},
            },
        ],
        "layout": {
            "xaxis": {"type": "date"},
            "yaxis": {"title": {"text": "USD"}, "rangemode": "tozero", "exponentformat": "power"},
            "yaxis2": UTILIZATION_AXIS,
        },
    }


def _time(timestamp: int) -> str:
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return "1970-01-01 00:00:00"
