"""The report's drawings as SVG that follows the page: its fonts, its width, its light or dark colours."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from search.evaluation.evaluate import recall_at
from search.evaluation.statistics import Interval, Numbers
from tests.quality.measures import Bin, Rank

WIDTH = 4.6  # inches at 72 points: about what a phone's page holds at full size
ROW = 0.19
DEEPEST = 20
# Drawn in colours that nothing else has, which the page's own stylesheet then gives their meaning.
INK, SOFT, LINE, GOOD, BAD = "#010101", "#020202", "#030303", "#040404", "#050505"
VARIABLES = {INK: "--ink", SOFT: "--soft", LINE: "--line", GOOD: "--accent", BAD: "--warm"}
DASHES = ("-", "--", ":")

# What an SVG inside a page must not bring along: a date, rules for the whole page, its own fonts, ids given twice.
_NOISE = re.compile(
    r"<metadata>.*?</metadata>|<style.*?</style>| id=\"[\w.]+_\d+\"|font-family: [^;\"]*;? ?", re.DOTALL
)
_HEAD = re.compile(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>')


@dataclass(frozen=True, slots=True)
class Dot:
    """One line of a dot plot: a figure with its interval over so many questions; `leads` those of its kind below."""

    label: str
    figure: float
    interval: Interval | None
    count: int
    leads: bool = False


def dots(rows: Sequence[Dot], name: str, label: str, best: float | None = None) -> str:
    """A horizontal dot and its whiskers a row, over 0 to 1; `best` marks what is the most that can be reached."""
    figure, axes = _axes(ROW * (len(rows) + 1) + 0.6)
    heights = np.arange(len(rows))[::-1]
    for row, y in zip(rows, heights.tolist(), strict=True):
        colour = INK if row.leads else GOOD
        if row.interval:
            axes.plot(row.interval, (y, y), color=colour, linewidth=1.4, solid_capstyle="round")
        axes.plot(row.figure, y, "D" if row.leads else "o", color=colour, markersize=4.5)
        axes.text(1.04, y, str(row.count), va="center", ha="left", color=SOFT, fontsize=8)
    axes.text(1.04, len(rows), "n", va="center", ha="left", color=SOFT, fontsize=8)
    if best is not None:
        axes.axvline(best, color=BAD, linewidth=1, linestyle="--")
    axes.set_yticks(heights, [row.label for row in rows])
    for tick, row in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_color(INK if row.leads else SOFT)
        tick.set_fontweight("bold" if row.leads else "normal")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.7, len(rows) + 0.5)
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    axes.set_xlabel(label)
    return _svg(figure, name, label)


def recall_curve(curves: Mapping[str, Sequence[Rank]], name: str, label: str) -> str:
    """The share of questions answered within the first 1 to 20, a curve for each set of ranks."""
    figure, axes = _axes(2.9)
    depths = range(1, DEEPEST + 1)
    for (title, ranks), dashes, colour in zip(curves.items(), DASHES, (GOOD, SOFT, SOFT), strict=False):
        axes.plot(depths, [recall_at(ranks, k) for k in depths], dashes, color=colour, linewidth=1.8, label=title)
    axes.set_xticks((1, 5, 10, 15, 20))
    axes.set_ylim(0, 1.02)
    _finish(axes, "first so many hits", "share with the right product")
    axes.legend(loc="lower right", frameon=False, labelcolor=INK)
    return _svg(figure, name, label)


def distributions(groups: Mapping[str, Numbers], cut: float, name: str, label: str) -> str:
    """How often each probability was stated, of two groups, and the cut between them."""
    figure, axes = _axes(2.9)
    edges = np.linspace(0, 1, 26)
    for (title, values), colour in zip(groups.items(), (GOOD, BAD), strict=True):
        shares = np.histogram(values, edges)[0] / len(values)
        axes.stairs(shares, edges, fill=True, facecolor=colour, alpha=0.22)
        axes.stairs(shares, edges, color=colour, linewidth=1.6, label=f"{title} ({len(values)})")
    axes.axvline(cut, color=INK, linewidth=1.2, linestyle="--", label=f"cut, {cut:.2f}")
    axes.set_xlim(0, 1)
    _finish(axes, "stated probability that the shop has it", "share of photos")
    axes.legend(loc="upper left", frameon=False, labelcolor=INK)
    return _svg(figure, name, label)


def roc(points: tuple[Numbers, Numbers], at_cut: tuple[float, float], name: str, label: str) -> str:
    """The ROC curve, and where on it the cut that the shop uses lies."""
    figure, axes = _axes(2.9)
    axes.plot((0, 1), (0, 1), color=LINE, linewidth=1)
    axes.plot(*points, color=GOOD, linewidth=1.8)
    axes.plot(*at_cut, "o", color=INK, markersize=6, label="at the cut")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    _finish(axes, "share of strangers let through", "share of the shop's own let through")
    axes.legend(loc="lower right", frameon=False, labelcolor=INK)
    return _svg(figure, name, label)


def reliability_curve(curves: Mapping[str, Sequence[Bin]], name: str, label: str) -> str:
    """What was stated against what came true; on the diagonal a probability means what it says."""
    figure, axes = _axes(2.9)
    axes.plot((0, 1), (0, 1), color=LINE, linewidth=1)
    for (title, bins), colour, mark in zip(curves.items(), (GOOD, SOFT), "os", strict=False):
        stated, true = [one.stated for one in bins], [one.true for one in bins]
        axes.plot(stated, true, color=colour, linewidth=1.2, alpha=0.7)
        axes.scatter(stated, true, [12 + 1.2 * one.count for one in bins], color=colour, marker=mark, label=title)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    _finish(axes, "stated probability", "share that came true")
    axes.legend(loc="upper left", frameon=False, labelcolor=INK)
    return _svg(figure, name, label)


def _axes(height: float) -> tuple[Figure, Axes]:
    figure = Figure((WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(side == "bottom")
        axes.spines[side].set_color(LINE)
    axes.tick_params(color=LINE, labelcolor=SOFT, labelsize=9, length=0)
    axes.xaxis.label.set_color(SOFT)
    axes.yaxis.label.set_color(SOFT)
    return figure, axes


def _finish(axes: Axes, across: str, up: str) -> None:
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_xlabel(across)
    axes.set_ylabel(up)


def _svg(figure: Figure, name: str, label: str) -> str:
    """The figure as an SVG element without a size, fonts or colours of its own; `name` keeps its inner ids apart."""
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = _NOISE.sub("", svg[svg.index("<svg ") :]).replace("xlink:href", "href")
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return _HEAD.sub(rf'<svg viewBox="0 0 \1 \2" role="img" aria-label="{escape(label)}">', svg, count=1)
