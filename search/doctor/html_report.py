"""The catalogue doctor's page: the surest findings with their pictures, in one file that can be sent to somebody."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from catalog import images
from catalog.errors import BadPicture
from search.doctor.audit_rows import Finding

SHOWN = 300  # findings; with at most four pictures of 4 kB each the page stays under 7 MB
SIDE = 120
SUREST = 0.99  # that is printed
_STYLE = """
:root { color-scheme: light dark;
  --ground: #fff; --tile: #f4f4f1; --line: #e2e2dd; --ink: #17191c; --soft: #5d6168; --mark: #0f766e }
@media (prefers-color-scheme: dark) {
  :root { --ground: #131416; --tile: #1e2023; --line: #34373c; --ink: #ededeb; --soft: #a8acb3; --mark: #5ec4b9 }
}
*, ::before, ::after { box-sizing: border-box }
body { margin: 0 auto; max-width: 62rem; padding: clamp(1rem, 4vw, 3rem); background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100% }
h1, h2, p, ol, ul, figure { margin: 0; padding: 0; overflow-wrap: anywhere }
h1 { font-size: 1.8rem; line-height: 1.2 } .lead { margin: .5rem 0 1.25rem; max-width: 44rem; color: var(--soft) }
ul { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin-bottom: 1.5rem; list-style: none }
ul b { font-variant-numeric: tabular-nums } ol { list-style: none }
li.finding { display: grid; grid-template-columns: auto 1fr; gap: .5rem 1.25rem; padding: 1rem 0;
  border-top: 1px solid var(--line) }
.pictures { display: flex; gap: .5rem } figure { width: min(5.5rem, 20vw) }
figure img, figure span { display: block; width: 100%; aspect-ratio: 1; border-radius: 4px; background: var(--tile);
  object-fit: contain }
figcaption { margin-top: .2rem; color: var(--soft); font-size: .75rem; line-height: 1.3; overflow-wrap: anywhere }
figure.own img { outline: 2px solid var(--mark); outline-offset: 1px }
h2 { font-size: 1rem; line-height: 1.35 } .kind { color: var(--mark); font-size: .85rem }
.why { margin-top: .25rem; color: var(--soft); font-size: .9rem } .fix { margin-top: .25rem; font-size: .9rem }
@media (max-width: 40rem) { li.finding { grid-template-columns: 1fr } }
"""


def page(findings: Sequence[Finding], counts: Mapping[str, int], size: tuple[int, int, float]) -> str:
    """The whole page; `size` is (products, pictures, seconds) of the examination."""
    products, pictures, seconds = size
    picture = lru_cache(4 * SHOWN)(_picture)
    kinds = "".join(f"<li><b>{count:,}</b> {html.escape(kind)}</li>" for kind, count in counts.items())
    shown = "".join(_finding(finding, picture) for finding in findings[:SHOWN])
    cut = f" The surest {SHOWN} of {len(findings):,} are shown; the table has all." if len(findings) > SHOWN else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>The catalogue doctor</title><style>{_STYLE}</style></head><body><main><h1>The catalogue doctor</h1>"
        f'<p class="lead">{products:,} products with {pictures:,} pictures, examined in {seconds:,.0f} s. What is most'
        f" surely wrong comes first; nothing was changed.{cut} Look at each: what is wrong is mended in the feed that"
        " the shop is built from, and the next index has it. The table beside this page, doctor.csv, holds the field,"
        f" its value now and the proposal.</p><ul>{kinds}</ul>"
        f"<ol>{shown}</ol></main></body></html>\n"
    )


def _finding(finding: Finding, picture: Callable[[str], str]) -> str:
    shown = "".join(
        f"<figure{mark}>{picture(product.pictures[0].path if product.pictures else '')}"
        f"<figcaption>{html.escape(product.id)}</figcaption></figure>"
        for product, mark in [(finding.product, ' class="own"'), *((other, "") for other in finding.others[:3])]
    )
    fix = (
        f'<p class="fix">Proposed {html.escape(finding.field)}: <b>{html.escape(finding.proposal)}</b></p>'
        if finding.proposal
        else ""
    )
    return (
        f'<li class="finding"><div class="pictures">{shown}</div><div><p class="kind">{html.escape(finding.kind)},'
        f" {min(finding.confidence, SUREST):.0%} sure</p><h2>{html.escape(finding.product.title)}</h2>"
        f'<p class="why">{html.escape(finding.why)}</p>{fix}</div></li>'
    )


def _picture(path: str) -> str:
    try:
        small = images.thumbnail(images.decode(images.read_file(Path(path)), at_least=SIDE), SIDE)
    except BadPicture:
        return "<span></span>"
    return f'<img alt="" loading="lazy" src="data:image/jpeg;base64,{base64.b64encode(small).decode()}">'
