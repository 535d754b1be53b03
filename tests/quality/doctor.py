"""How many planted faults the catalogue doctor finds: python -m tests.quality.doctor --home DIR --truth FILE.csv.

The shop is a copy of one with faults planted in its feed; the file tells them as id, kind, what it was.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search.doctor import examine
from search.doctor_shop import Finding
from search.engine import SearchEngine

# Which kinds of findings are right about a planted fault.
NAMED: Mapping[str, tuple[str, ...]] = {
    "category_far": ("category",),
    "category_near": ("category",),
    "colour": ("colour",),
    "copy_reencoded": ("duplicate", "shared picture"),
    "copy_retitled": ("duplicate", "shared picture"),
    "blurred": ("blurred picture", "blank picture"),
    "tiny": ("small picture", "blurred picture"),
    "price": ("price",),
    "price_low": ("price",),
    "title": ("title",),
}
TOP = 200


def figures(findings: Sequence[Finding], planted: Sequence[tuple[str, str, str]], top: int = TOP) -> dict[str, Any]:
    """Which planted faults (id, kind, what it was) are found at all and among the first, and how many others are."""
    truth = {(one, kind): was for one, kind, was in planted}
    found: dict[tuple[str, str], int] = {}
    false = []
    for rank, finding in enumerate(findings, 1):
        ids = {
            finding.product.id,
            *(other.id for other in finding.others if "picture" in finding.kind or finding.kind == "duplicate"),
        }
        hit = [(one, kind) for one, kind in truth if one in ids and finding.kind in NAMED[kind]]
        for fault in hit:
            found.setdefault(fault, rank)
        if not hit and rank <= top:
            false.append(finding)
    kinds = Counter(kind for _, kind in truth)
    return {
        "planted": len(truth),
        "found": len(found),
        f"found_in_first_{top}": sum(rank <= top for rank in found.values()),
        f"others_in_first_{top}": len(false),
        "others_by_kind": dict(Counter(finding.kind for finding in false)),
        "by_kind": {
            kind: {
                "planted": count,
                "found": sum(of == kind for _, of in found),
                f"in_first_{top}": sum(of == kind and rank <= top for (_, of), rank in found.items()),
            }
            for kind, count in kinds.items()
        },
    }


def main() -> None:
    """Examine the shop and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.doctor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True, help="CSV: id, kind, was")
    options = parser.parse_args()
    with options.truth.open(encoding="utf-8", newline="") as file:
        planted = [(row["id"], row["kind"], row["was"]) for row in csv.DictReader(file)]
    with SearchEngine.open(options.home) as engine:
        diagnosis = examine(engine)
    print(json.dumps({**diagnosis.to_dict(), **figures(diagnosis.findings, planted)}, indent=2))


if __name__ == "__main__":
    main()
