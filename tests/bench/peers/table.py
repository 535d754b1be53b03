"""The figures of a comparison as a table for docs/performance.md."""

from __future__ import annotations

from typing import Any

from tests.bench.peers.tuning import RECALL

COSTS = ["build, s", "memory, MB"]


def table(report: dict[str, Any], own: str) -> str:
    """Return a Markdown table, a line for each peer, ours / the peer's; what is more with ours is in bold."""
    peers = {name: figures for name, figures in report.items() if isinstance(figures, dict) and name != own}
    parts = [*dict.fromkeys(part for figures in peers.values() for part in figures if _is_part(figures[part]))]
    head = ["ours / peer: ms, p50; p99", *COSTS, *parts, "measured (load), commit, limits of a step"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, figures in peers.items():
        if "skipped" in figures:
            cells = [figures["skipped"], *[""] * (len(head) - 3)]
        else:
            cells = [*_costs(report, report[own], figures), *(_times(figures.get(part, {})) for part in parts)]
        numbers = " ".join(number for number in figures["versions"].values() if number)
        loads = " to ".join(f"{load:.1f}" for load in figures["load"])
        cells = [
            f"{name} ({numbers})" if numbers else name,
            *cells,
            f"{figures['at']} ({loads}), {figures['commit']}, {figures['limits']}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _is_part(figures: Any) -> bool:
    return isinstance(figures, dict) and ("peer" in figures or "skipped" in figures)


def _costs(report: dict[str, Any], own: dict[str, Any], peer: dict[str, Any]) -> list[str]:
    """Return the seconds of both builds, and both memories."""
    rows = f"{own['memory_mb']:,.0f} and {report['rows_mb']:,.0f} mapped"
    files = f" and {peer['disk_mb']:,.0f} in files" if peer.get("reads_files") else ""
    build = _both(own["build_s"], peer["build_s"], f"{own['build_s']:.0f} / {peer['build_s']:.0f}")
    theirs = peer["memory_mb"] + (peer["disk_mb"] if files else 0)
    memory = f"{rows} / {peer['memory_mb']:,.0f}{files}"
    return [build, _both(own["memory_mb"] + report["rows_mb"], theirs, memory)]


def _times(figures: dict[str, Any]) -> str:
    """Return both times, the recall of one that stops below the goal, and how many questions there were if few."""
    if "peer" not in figures:
        return str(figures.get("skipped", ""))
    own, peer = figures["own"], figures["peer"]
    pairs = [(own[f"{quantile}_ms"], peer[f"{quantile}_ms"]) for quantile in ("p50", "p99")]
    text = "; ".join(
        _both(*pair, " / ".join(f"{time:.2f}" if time < 10 else f"{time:.0f}" for time in pair)) for pair in pairs
    )
    short = [f"{name} {figures[name]['recall']:.3f}" for name in ("own", "peer") if figures[name]["recall"] < RECALL]
    if figures["few"]:
        short.append(f"{figures['queries']} questions")
    return f"{text} ({', '.join(short)})" if short else text


def _both(own: float, peer: float, text: str) -> str:
    return f"**{text}**" if own > peer else text
