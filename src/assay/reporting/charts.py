"""Two forms of chart, as Vega-Lite specifications by Altair: dots with intervals in rows, and quality against cost.

Every series is told apart by colour and by shape. Colours are CSS variables of the page (``var(--c0)`` …), never fixed; what comes
from data is only ever a value in a row, never a field's name, an expression or an address.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from assay.reporting.text import distinct, one_line

INK, QUIET, FAINT = "var(--ink)", "var(--muted)", "var(--line)"
WIDE_PX, NARROW_PX = 880, 340
LABEL_PX = {WIDE_PX: 190, NARROW_PX: 160}
TEXT_PX = 12
WORDS_PX = 36  # beside a panel, for a difference
LETTER_PX = 6.6  # a letter's mean width at TEXT_PX
NO_LEADING_ZERO = "replace(datum.label, /^([-−]?)0[.]/, '$1.')"
LAYER = ("mark", "encoding", "transform")
AXIS = {
    "labelColor": INK,
    "titleColor": QUIET,
    "labelFontSize": TEXT_PX,
    "titleFontSize": TEXT_PX,
    "titleFontWeight": "normal",
    "titlePadding": 8,
    "gridColor": FAINT,
    "domainColor": FAINT,
    "tickColor": FAINT,
}
STYLE = {
    "aria": False,
    "background": "transparent",
    "padding": {"left": 14, "right": 6, "top": 4, "bottom": 4},
    "view": {"stroke": None},
    "axis": AXIS,
    "header": {"labelColor": INK, "labelFontSize": TEXT_PX + 1, "labelFontWeight": "bold"},
    "text": {"fontSize": TEXT_PX},
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval, in one row of one panel; ``x`` is the cost where quality is drawn against it."""

    row: str
    panel: str
    series: str
    value: float
    low: float
    high: float
    text: str = ""
    x: float = math.nan


@dataclass(frozen=True, slots=True)
class Series:
    """A series' look: a model keeps its own all over the page."""

    label: str
    colour: str
    shape: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What to draw: the marks, the order of rows, panels and series, the words of the axes.

    With ``cost_axis`` the marks are drawn against their ``x``; ``zero`` marks the line of no difference; ``labelled`` writes the
    marks' text beside them.
    """

    marks: tuple[Mark, ...]
    rows: tuple[str, ...]
    panels: tuple[str, ...]
    series: tuple[Series, ...]
    axis: str
    cost_axis: str = ""
    zero: bool = False
    labelled: bool = False


def specifications(plot: Plot) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plot for a wide page, panels beside each other, and for a narrow one, panels below each other."""
    plot = _printable(plot)
    marks = _scatter(plot) if plot.cost_axis else _dots(plot)
    # The data joins the layers only here: Altair copies all that a chart holds at each step.
    layers = [{name: part for name, part in mark.to_dict().items() if name in LAYER} for mark in marks]
    height: Any = 210 if plot.cost_axis else {"step": 11 * _in_one_row(plot) + 13, "for": "position"}
    return tuple(_faceted(plot, width_px, {"layer": layers, "height": height}) for width_px in (WIDE_PX, NARROW_PX))  # type: ignore[return-value]


def _printable(plot: Plot) -> Plot:
    """The plot with all words from data as short labels, different ones for different rows and panels."""
    rows = dict(zip(plot.rows, distinct(list(plot.rows), 48), strict=True))
    panels = dict(zip(plot.panels, distinct(list(plot.panels), 40), strict=True))
    marks = (replace(mark, row=rows.get(mark.row, ""), panel=panels[mark.panel]) for mark in plot.marks)
    return replace(
        plot, marks=tuple(marks), rows=tuple(rows.values()), panels=tuple(panels.values()), axis=one_line(plot.axis, 60)
    )


def _faceted(plot: Plot, width_px: int, layers: dict[str, Any]) -> dict[str, Any]:
    """The layers in one panel per data set, with the rows and the page's style."""
    across = max(1, len(plot.panels)) if width_px == WIDE_PX else 1
    margin = 46 if plot.cost_axis else _label_px(plot, width_px) + 12
    header = {"title": None, "labelOrient": "top", "labelAnchor": "start", "labelPadding": 6}
    beside = WORDS_PX if plot.labelled and plot.zero else 0
    facet = {"field": "panel", "type": "nominal", "sort": list(plot.panels), "header": header}
    return {
        "data": {"values": [_row(mark) for mark in plot.marks]},
        "facet": {"column" if width_px == WIDE_PX else "row": facet},
        "spec": {**layers, "width": max(120, (width_px - margin - (26 + beside) * across) // across)},
        "spacing": {"column": 22 + beside, "row": 22},
        "config": {**STYLE, "axisY": {"labelLimit": LABEL_PX[width_px]}},
    }


def _label_px(plot: Plot, width_px: int) -> int:
    """The room that the longest row label takes."""
    return min(LABEL_PX[width_px], round(LETTER_PX * max(map(len, plot.rows), default=0)))


def _row(mark: Mark) -> dict[str, Any]:
    """A mark as a row of data, without the numbers that are undefined."""
    numbers = {"value": mark.value, "low": mark.low, "high": mark.high, "x": mark.x}
    known = {name: value for name, value in numbers.items() if math.isfinite(value)}
    end = known.get("high", known.get("value", 0.0))
    return {"row": mark.row, "panel": mark.panel, "series": mark.series, "text": mark.text, "end": end, **known}


def _in_one_row(plot: Plot) -> int:
    """How many series share a row of a panel."""
    held: dict[tuple[str, str], set[str]] = {}
    for mark in plot.marks:
        held.setdefault((mark.row, mark.panel), set()).add(mark.series)
    return max(map(len, held.values()), default=1)


def _dots(plot: Plot) -> list[Any]:
    """Rows of dots with intervals; several series in one row stand under each other."""
    import altair as alt

    axis = alt.Axis(labelPadding=8, ticks=False, domain=False, grid=True)
    rows = alt.Y("row:N", title=None, scale=alt.Scale(domain=list(plot.rows)), axis=axis)
    base = alt.Chart().encode(y=rows, color=_colour(plot))
    if _in_one_row(plot) > 1:
        order = alt.Scale(domain=[series.label for series in plot.series], paddingOuter=0.4)
        base = base.encode(yOffset=alt.YOffset("series:N", scale=order))
    known, unknown = base.transform_filter("isValid(datum.value)"), base.transform_filter("!isValid(datum.value)")
    spread = known.transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers = [
        spread.mark_rule(strokeWidth=2, strokeCap="round").encode(x=_figures(plot, "low"), x2="high:Q"),
        known.mark_point(filled=True, size=64, opacity=1).encode(x=_figures(plot, "value"), shape=_shape(plot)),
        unknown.mark_text(align="left", dx=4, text="undefined").encode(x=alt.value(0), color=alt.value(QUIET)),
    ]
    if plot.labelled:
        # Beside the mark; but where the line of no difference stands, beside the panel, out of its way.
        words = known.mark_text(align="left", dx=9)
        layers.append(
            words.encode(
                x=alt.value("width") if plot.zero else _figures(plot, "end"), text="text:N", color=alt.value(INK)
            )
        )
    if plot.zero:
        layers.insert(0, alt.Chart().mark_rule(strokeDash=[3, 3], color=QUIET).encode(x=alt.datum(0.0)))
    return layers


def _scatter(plot: Plot) -> list[Any]:
    """Quality with its interval against cost on a logarithmic scale."""
    import altair as alt

    costs = [mark.x for mark in plot.marks if mark.x > 0] or [1.0]
    room = alt.Scale(type="log", domain=[min(costs) / 1.6, max(costs) * 1.6])
    cost = alt.X("x:Q", title=plot.cost_axis, scale=room, axis=alt.Axis(tickCount=4, grid=False))
    base = alt.Chart().encode(x=cost, color=_colour(plot)).transform_filter("isValid(datum.value) && datum.x > 0")
    spread = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    height = {"title": plot.axis, "scale": alt.Scale(domain=_domain(plot), nice=True), "axis": _figure_axis()}
    return [
        spread.mark_rule(strokeWidth=2, strokeCap="round").encode(y=alt.Y("low:Q", **height), y2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(y=alt.Y("value:Q", **height), shape=_shape(plot)),
    ]


def _figures(plot: Plot, name: str) -> Any:
    """The axis of the measured figure, on which values and intervals share one scale."""
    import altair as alt

    return alt.X(f"{name}:Q", title=plot.axis, scale=alt.Scale(domain=_domain(plot), nice=False), axis=_figure_axis())


def _domain(plot: Plot) -> list[float]:
    """From the lowest to the highest figure, with room for the words beside the marks."""
    figures = [f for mark in plot.marks for f in (mark.value, mark.low, mark.high) if math.isfinite(f)]
    low, high = min(figures, default=0.0), max(figures, default=1.0)
    if plot.zero:
        low, high = min(low, 0.0), max(high, 0.0)
    span = (high - low) or abs(high) or 1.0
    return [low - 0.04 * span, high + (0.2 if plot.labelled and not plot.zero else 0.04) * span]


def _figure_axis() -> Any:
    import altair as alt

    return alt.Axis(tickCount=5, labelExpr=NO_LEADING_ZERO, labelOverlap="parity", labelSeparation=6)


def _colour(plot: Plot) -> Any:
    import altair as alt

    names, colours = [s.label for s in plot.series], [s.colour for s in plot.series]
    return alt.Color("series:N", legend=None, scale=alt.Scale(domain=names, range=colours))


def _shape(plot: Plot) -> Any:
    import altair as alt

    names, shapes = [s.label for s in plot.series], [s.shape for s in plot.series]
    return alt.Shape("series:N", legend=None, scale=alt.Scale(domain=names, range=shapes))
