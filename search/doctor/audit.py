"""The catalogue doctor: one report over a whole shop of what is probably wrong with its listings. Changes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.files.atomic import write_atomically
from catalog.text.csv_export import csv_text
from search.doctor.audit_rows import AuditRows, Finding, Step
from search.doctor.html_report import page
from search.doctor.label_checks import label_findings
from search.doctor.picture_checks import duplicate_findings, picture_findings
from search.doctor.price_checks import price_findings, reach_findings
from search.engine import SearchEngine

TABLE, PAGE = "doctor.csv", "doctor.html"
HEADER = ("confidence", "kind", "id", "title", "field", "now", "proposal", "why", "others")
CHECKS: tuple[Callable[[AuditRows, Step], Iterator[Finding]], ...] = (
    picture_findings,
    duplicate_findings,
    label_findings,
    price_findings,
    reach_findings,
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, surest first, of so many products and pictures, made in so many seconds."""

    findings: tuple[Finding, ...]
    products: int
    pictures: int
    seconds: float

    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind, the most frequent first."""
        return dict(Counter(finding.kind for finding in self.findings).most_common())

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: how much was looked at, and how much was found, not what."""
        return {
            "products": self.products,
            "pictures": self.pictures,
            "seconds": round(self.seconds, 1),
            "findings": self.counts(),
        }


def examine(engine: SearchEngine, step: Step = lambda what, done, total: None) -> Diagnosis:
    """Look through the whole shop. Imports torch. Raises NoGeneration when it is empty."""
    started = time.monotonic()
    shop = AuditRows.of(engine)
    found = [finding for check in CHECKS for finding in check(shop, step)]
    ids = {product.id for product in shop.products}
    return Diagnosis(tuple(ranked(found)), len(ids), len(shop), time.monotonic() - started)


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Surest first, and of one product only the surest finding of each kind."""
    best: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.product.id, finding.kind)
        if key not in best or finding.confidence > best[key].confidence:
            best[key] = finding
    return sorted(best.values(), key=lambda one: (-one.confidence, one.kind, one.product.id))


def write_report(diagnosis: Diagnosis, out: Path) -> tuple[Path, Path]:
    """Write the table of all findings and the page of the surest ones into a folder; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    table, shown = out / TABLE, out / PAGE
    text = csv_text(HEADER, map(_row, diagnosis.findings))
    write_atomically(table, lambda path: path.write_text(text, encoding="utf-8", newline=""))
    html = page(diagnosis.findings, diagnosis.counts(), (diagnosis.products, diagnosis.pictures, diagnosis.seconds))
    write_atomically(shown, lambda path: path.write_text(html, encoding="utf-8"))
    return table, shown


def _row(finding: Finding) -> tuple[object, ...]:
    product = finding.product
    now = {"category": product.category, "price": product.price or "", "title": product.title}.get(
        finding.field, product.attributes.get(finding.field, "")
    )
    others = " ".join(other.id for other in finding.others)
    sure = f"{finding.confidence:.3f}"
    return sure, finding.kind, product.id, product.title, finding.field, now, finding.proposal, finding.why, others
