"""The catalogue doctor: audit all listings of a shop and report probable faults. It changes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.files.atomic import write_atomically
from catalog.text.csv_export import csv_text
from search.doctor.audit_rows import AuditRows, Finding, ReportProgress
from search.doctor.findability_checks import findability_findings
from search.doctor.html_report import page
from search.doctor.label_checks import label_findings
from search.doctor.picture_checks import duplicate_findings, picture_findings
from search.doctor.price_checks import price_findings
from search.doctor.price_history_checks import price_history_findings
from search.doctor.review_checks import review_findings
from search.engine import SearchEngine

TABLE_FILE, PAGE_FILE = "doctor.csv", "doctor.html"
HEADER = ("confidence", "kind", "id", "title", "field", "now", "proposal", "why", "others")
Check = Callable[[AuditRows, ReportProgress], Iterator[Finding]]
# Every check: a function of the shop's rows and a progress callback that yields findings. Add a check here.
CHECKS: tuple[Check, ...] = (
    picture_findings,
    duplicate_findings,
    label_findings,
    price_findings,
    price_history_findings,
    findability_findings,
    review_findings,
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings, most confident first, and how many products and pictures were audited in how many seconds."""

    findings: tuple[Finding, ...]
    products: int
    pictures: int
    seconds: float

    def counts(self) -> dict[str, int]:
        """Return the number of findings of each kind, the most frequent first."""
        return dict(Counter(finding.kind for finding in self.findings).most_common())

    def to_dict(self) -> dict[str, Any]:
        """Return the sizes and the counts as JSON values, without the findings."""
        return {
            "products": self.products,
            "pictures": self.pictures,
            "seconds": round(self.seconds, 1),
            "findings": self.counts(),
        }


def examine(engine: SearchEngine, progress: ReportProgress = lambda what, done, total: None) -> Diagnosis:
    """Audit the whole shop. Raises NoGeneration when the shop is empty."""
    started = time.monotonic()
    shop = AuditRows.of(engine)
    findings = [finding for check in CHECKS for finding in check(shop, progress)]
    ids = {product.id for product in shop.products}
    return Diagnosis(tuple(ranked(findings)), len(ids), len(shop), time.monotonic() - started)


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Sort by falling confidence, and keep one finding of each kind for a product, the most confident."""
    best: dict[tuple[str, str], Finding] = {}
    for finding in sorted(findings, key=lambda finding: (-finding.confidence, finding.kind, finding.product.id)):
        best.setdefault((finding.product.id, finding.kind), finding)
    return list(best.values())


def write_report(diagnosis: Diagnosis, out: Path) -> tuple[Path, Path]:
    """Write the table of all findings and the page of the most confident ones into `out`; return both paths."""
    out.mkdir(parents=True, exist_ok=True)
    text = csv_text(HEADER, map(_row, diagnosis.findings))
    write_atomically(out / TABLE_FILE, lambda path: path.write_text(text, encoding="utf-8", newline=""))
    html = page(diagnosis.findings, diagnosis.counts(), (diagnosis.products, diagnosis.pictures, diagnosis.seconds))
    write_atomically(out / PAGE_FILE, lambda path: path.write_text(html, encoding="utf-8"))
    return out / TABLE_FILE, out / PAGE_FILE


def _row(finding: Finding) -> tuple[object, ...]:
    product, field = finding.product, finding.field
    columns = {"category": product.category, "price": product.price or "", "title": product.title}
    now = columns.get(field, product.attributes.get(field, ""))
    others = " ".join(other.id for other in finding.others)
    confidence = f"{finding.confidence:.3f}"
    return confidence, finding.kind, product.id, product.title, field, now, finding.proposal, finding.why, others
