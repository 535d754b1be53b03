"""The figures of a comparison as tables for docs/performance.md."""

from __future__ import annotations

from typing import Any

from tests.bench.peers.tuning import RECALL


def tables(report: dict[str, Any], own: str) -> str:
    """Return two Markdown tables, ours / the peer's, of the medians and of the 99th percentiles."""
    peers = {name: figures for name, figures in report.items() if isinstance(figures, dict) and name != own}
    measured = (part for figures in peers.values() for part, each in figures.items() if isinstance(each, dict))
    parts = [*dict.fromkeys(measured)]
    lines = []
    for quantile in ("p50", "p99"):
        head = [*(["build, s", "memory, MB"] if quantile == "p50" else []), *parts]
        lines += [f"| ours / peer, ms, {quantile} | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
        for name, figures in peers.items():
            if "skipped" in figures:
                cells = [figures["skipped"], *[""] * (len(head) - 1)]
            else:
                costs = _costs(report, report[own], figures) if quantile == "p50" else []
                cells = [*costs, *(_times(figures.get(part, {}), quantile) for part in parts)]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _costs(report: dict[str, Any], own: dict[str, Any], peer: dict[str, Any]) -> list[str]:
    """Return the seconds of both builds, and both memories."""
    rows = f"{own['memory_mb']:,.0f} and {report['rows_mb']:,.0f} mapped"
    files = f" and {peer['disk_mb']:,.0f} in files" if peer.get("reads_files") else ""
    return [f"{own['build_s']:.0f} / {peer['build_s']:.0f}", f"{rows} / {peer['memory_mb']:,.0f}{files}"]


def _times(figures: dict[str, Any], quantile: str) -> str:
    """Return both times, and the recall of one that stops below the goal."""
    if "peer" not in figures:
        return str(figures.get("skipped", ""))
    times = [figures[name][f"{quantile}_ms"] for name in ("own", "peer")]
    text = " / ".join(f"{time:.2f}" if time < 10 else f"{time:.0f}" for time in times)
    short = [f"{name} {figures[name]['recall']:.3f}" for name in ("own", "peer") if figures[name]["recall"] < RECALL]
    return f"{text} ({', '.join(short)})" if short else text
