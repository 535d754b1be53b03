"""The report of what was measured at several sizes: tables, and curves against the size, in one HTML file."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.ticker import NullLocator

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # a machine without a screen has no other backend

MOST_GROWTH = 1.5  # of a step's cost per product from the smallest to the largest size
LEAST_US = 1.0  # a step that costs less per product at the largest size is not judged
SORTS = ("text", "photo", "similar", "suggest", "text, faceted", "browse, faceted", "browse, by price")
FILTERED = ("similar", "similar within 50 %", "similar within 5 %", "similar within 0.1 %")
Sized = Mapping[int, Mapping[str, Any]]


def write_report(folder: Path) -> dict[str, Any]:
    """Write report.html, curves.png and report.json of the sizes measured in a folder."""
    sizes: dict[int, dict[str, Any]] = {}
    for path in folder.glob("*.json"):
        if path.name != "report.json" and "products" in (found := json.loads(path.read_text())).get("served", {}):
            sizes[found["served"]["products"]] = found
    ordered = dict(sorted(sizes.items()))
    picture = curves(ordered)
    (folder / "curves.png").write_bytes(picture)
    (folder / "report.json").write_text(json.dumps(ordered, indent=2))
    (folder / "report.html").write_text(page(ordered, picture), encoding="utf-8")
    return {str(size): found for size, found in ordered.items()}


def step_costs(sizes: Sized, part: str = "build") -> dict[str, dict[int, float]]:
    """Return the processor microseconds a product of each step by size."""
    costs: dict[str, dict[int, float]] = {}
    for size, found in sizes.items():
        for name, step in found.get(part, {}).get("steps", {}).items():
            costs.setdefault(name, {})[size] = 1e6 * step["cpu_seconds"] / size
    return costs


def growing(sizes: Sized) -> dict[str, float]:
    """Return the steps whose cost per product grows by more than 1.5 times from the smallest to the largest size."""
    found = {}
    for name, costs in step_costs(sizes).items():
        first, last = costs[min(costs)], costs[max(costs)]
        if len(costs) > 1 and last > LEAST_US and last > MOST_GROWTH * first:
            found[name] = round(last / max(first, 1e-9), 2)
    return found


def curves(sizes: Sized) -> bytes:
    """Return a PNG: build steps, questions, filters and memory against the size."""
    figure, panels = plt.subplots(2, 2, figsize=(15, 9), constrained_layout=True)
    names = sorted(step_costs(sizes).items(), key=lambda item: -max(item[1].values()))[:12]
    _panel(panels[0, 0], "Build: processor µs a product", dict(names))
    questions = {name: _quantile(sizes, name, "p50_cpu_ms") for name in SORTS}
    _panel(panels[0, 1], "Questions: median, processor ms", questions)
    _panel(panels[1, 0], "Filters: median, processor ms", {n: _quantile(sizes, n, "p50_cpu_ms") for n in FILTERED})
    memory = {
        "peak of the build, MB": {s: f["build"]["process"]["resident_mb"] for s, f in sizes.items() if "build" in f},
        "own memory of a server when opened, MB": _memory(sizes, "opened"),
        "own memory of a server when ready, MB": _memory(sizes, "ready"),
        "opening, processor ms": {size: 1000 * found["served"]["open"]["cpu_seconds"] for size, found in sizes.items()},
    }
    _panel(panels[1, 1], "Memory and opening", memory)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=90)
    plt.close(figure)
    return out.getvalue()


def page(sizes: Sized, picture: bytes) -> str:
    """Return the report as HTML."""
    steps = [[name, *(_number(costs.get(size)) for size in sizes)] for name, costs in step_costs(sizes).items()]
    updates = [[name, *(_number(costs.get(s)) for s in sizes)] for name, costs in step_costs(sizes, "update").items()]
    asked = list(dict.fromkeys(name for found in sizes.values() for name in found["served"]["questions"]))
    columns = ("p50_ms", "p95_ms", "p99_ms", "p50_cpu_ms", "p95_cpu_ms", "p99_cpu_ms")
    questions = [
        [name, f"{size:,}", *(str(found["served"]["questions"].get(name, {}).get(column, "")) for column in columns)]
        for name in asked
        for size, found in sizes.items()
    ]
    grown = ", ".join(f"{name} ({factor} times)" for name, factor in growing(sizes).items()) or "none"
    head = [f"{size:,}" for size in sizes]
    parts = [
        "<!doctype html><meta charset=utf-8><title>Scale</title>",
        "<style>body{font:15px sans-serif;max-width:75em;margin:2em auto}td,th{padding:.1em .8em;text-align:right}"
        "td:first-child,th:first-child{text-align:left}img{max-width:100%}</style>",
        "<h1>What a catalogue costs by its size</h1>",
        f"<img alt='Curves against the number of products' src='data:image/png;base64,{_encoded(picture)}'>",
        "<h2>In all</h2>",
        _table(["", *head], [[name, *values] for name, values in _totals(sizes).items()]),
        f"<h2>Build, processor µs a product by step</h2><p>Steps that grow by more than {MOST_GROWTH} times: {grown}.",
        _table(["step", *head], steps),
        "<h2>Update of 1 %, processor µs a product of the shop by step</h2>",
        _table(["step", *head], updates),
        "<h2>Questions</h2>",
        _table(["question", "products", *columns], questions),
    ]
    return "\n".join(parts)


def _totals(sizes: Sized) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for size, found in sizes.items():
        build, served, update = found.get("build", {}), found["served"], found.get("update", {})
        opened = served["memory_mb"]["opened"]
        values = {
            "build, s by the clock": build.get("seconds"),
            "build, s of the processor": build.get("process", {}).get("cpu_seconds"),
            "build, peak MB": build.get("process", {}).get("resident_mb"),
            "build, peak MB of its own": build.get("process", {}).get("own_mb"),
            "bytes on disk a product": sum(served["bytes_per_product"].values()),
            "opening, s by the clock": served["open"]["seconds"],
            "opening, s of the processor": served["open"]["cpu_seconds"],
            "opened, MB": opened["all"],
            "opened, bytes a product above 400 MB": max(0, opened["all"] - 400) * 2**20 / size,
            "update of 1 %, s of the processor": update.get("cpu_seconds"),
            "update of 1 %, share of the build": _share(update, build),
            "recall@10 of pictures": served["recall"]["picture"],
            "recall@10 of words": served["recall"]["text"],
            "live put, median ms": served["live_put"]["p50_ms"],
            "live puts found by the next search": served["live_put"]["found_by_the_next_search"],
        }
        for name, value in values.items():
            rows.setdefault(name, []).append(_number(value))
    return rows


def _share(update: Mapping[str, Any], build: Mapping[str, Any]) -> float | None:
    if not update or not build:
        return None
    return float(update["cpu_seconds"]) / float(build["process"]["cpu_seconds"])


def _quantile(sizes: Sized, name: str, column: str) -> dict[int, float]:
    return {size: found["served"]["questions"][name][column] for size, found in sizes.items()}


def _memory(sizes: Sized, when: str) -> dict[int, float]:
    return {size: found["served"]["memory_mb"][when]["own"] for size, found in sizes.items()}


def _panel(axes: Any, title: str, lines: Mapping[str, Mapping[int, float]]) -> None:
    """Draw lines against the size, both axes in powers of ten: what grows like the catalogue rises by 45 degrees."""
    colours = plt.get_cmap("tab20").colors
    for number, (name, values) in enumerate(lines.items()):
        if values:
            points = [max(value, 1e-2) for value in values.values()]
            axes.plot(list(values), points, marker="o", label=name, color=colours[2 * number % 20 + number // 10])
    axes.set(title=title, xlabel="products", xscale="log", yscale="log")
    sizes = sorted({size for values in lines.values() for size in values})
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(head, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def _encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()
