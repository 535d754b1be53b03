"""The report: one JSON of figures, and one HTML page that needs nothing beside it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from search.cli.common import format_table
from tests.quality.report.records import Headline, Part, Share

HERE = Path(__file__).parent
JSON_NAME, HTML_NAME = "report.json", "report.html"
TEMPLATE, STYLES = "report.html.jinja", "report.css"


def write_report(parts: Sequence[Part], encoder: str, folder: Path) -> Path:
    """Write report.json and report.html into the folder; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    run = about_this_run(encoder)
    figures = to_json(parts, run)
    (folder / JSON_NAME).write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page = folder / HTML_NAME
    page.write_text(to_html(parts, run), encoding="utf-8")
    return page


def about_this_run(encoder: str) -> dict[str, Any]:
    """When, on what machine and with which encoder the figures were measured."""
    return {
        "generated_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {"cores": len(os.sched_getaffinity(0)), "platform": f"{platform.system()} {platform.machine()}"},
        "encoder": encoder,
    }


def to_json(parts: Sequence[Part], run: dict[str, Any]) -> dict[str, Any]:
    """The run, every part's figures by task, and the floors with the figures that they are held against."""
    return {
        **run,
        **{part.key: _part_figures(part) for part in parts},
        "floors": [
            {"name": line.name, "floor": line.floor, "figure": line.share.figure, "met": line.met}
            for line in headlines(parts)
            if line.floor is not None
        ],
    }


def to_html(parts: Sequence[Part], run: dict[str, Any]) -> str:
    """The page. Whatever comes from a feed is escaped; drawings are ours and go in as they are."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters["figure"] = figure_text
    environment.filters["interval"] = interval_text
    environment.filters["percent"] = "{:.1%}".format
    environment.filters["drawing"] = Markup
    environment.tests["share"] = lambda cell: isinstance(cell, Share)
    held = [line for line in headlines(parts) if line.floor is not None]
    return environment.get_template(TEMPLATE).render(
        parts=parts,
        run=run,
        styles=Markup((HERE / STYLES).read_text(encoding="utf-8")),
        floors=len(held),
        met=sum(bool(line.met) for line in held),
    )


def terminal_table(parts: Sequence[Part], width: int) -> str:
    """The headlines as a table for a terminal, and a line for each part that was skipped."""
    rows = [
        (
            line.name,
            figure_text(line.share),
            "" if line.floor is None else f"{line.floor:.2f}",
            _verdict(line),
            interval_text(line.share),
            f"{line.count:,}",
        )
        for line in headlines(parts)
    ]
    header = ("measured", "figure", "floor", "", "95 % interval", "n")
    skipped = [f"{part.title} was skipped. {part.skipped}" for part in parts if part.skipped]
    notes = [f"{outcome.section.title}: {outcome.section.note}" for outcome in _outcomes(parts) if outcome.section.note]
    shown = [format_table(header, rows, width, ("figure", "n", "floor"))] if rows else []
    return "\n".join([*shown, *(["", *skipped, *notes] if skipped or notes else [])])


def headlines(parts: Sequence[Part]) -> list[Headline]:
    """Every line of the summary, in the order of the report."""
    return [line for outcome in _outcomes(parts) for line in outcome.headlines]


def figure_text(share: Share) -> str:
    """A figure as it is printed: three digits, or a dash when it could not be told."""
    return "–" if share.figure is None else f"{share.figure:.3f}"


def interval_text(share: Share) -> str:
    """An interval as it is printed."""
    return "" if share.interval is None else f"{share.interval[0]:.2f}–{share.interval[1]:.2f}"


def _part_figures(part: Part) -> dict[str, Any]:
    if part.skipped:
        return {"skipped": part.skipped}
    return {**part.facts, **{outcome.key: outcome.figures for outcome in part.outcomes}}


def _outcomes(parts: Sequence[Part]) -> Iterator[Any]:
    return (outcome for part in parts for outcome in part.outcomes)


def _verdict(line: Headline) -> str:
    if line.met is None:
        return "" if line.ceiling is None else f"of {line.ceiling:.2f}"
    return "met" if line.met else "NOT MET"
