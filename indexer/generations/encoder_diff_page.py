"""The page that shows what another encoder changes: figures of both, then questions with the answers of each."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog import images
from catalog.errors import BadPicture
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.generations.golden_queries import DEPTH, GoldenQuery

SHOWN = 6
SIDE = 160
KINDS = {"picture": "pictures", "text": "words"}
_STYLE = """
:root { color-scheme: light dark;
  --ground: #fff; --tile: #f5f5f3; --line: #e3e3df; --ink: #17191c; --soft: #62666d; --mark: #0f766e }
@media (prefers-color-scheme: dark) {
  :root { --ground: #131416; --tile: #1d1f22; --line: #33363b; --ink: #ededeb; --soft: #a3a7ae; --mark: #5ec4b9 }
}
*, ::before, ::after { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: clamp(1rem, 4vw, 3rem); background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100% }
h1, h2, h3, p, ol, figure, table { margin: 0; padding: 0; overflow-wrap: anywhere }
h1 { font-size: 1.8rem; line-height: 1.2 } h2 { margin-top: 2.5rem; font-size: 1.3rem }
h3 { margin-bottom: .5rem; color: var(--soft); font-size: .8rem; font-weight: 400 }
.soft { max-width: 46rem; margin-top: .5rem; color: var(--soft) }
table { margin-top: 1.25rem; border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .35rem 1.5rem .35rem 0; border-bottom: 1px solid var(--line); text-align: right }
td[colspan] { text-align: center }
th { font-weight: 400 } th:first-child { text-align: left } thead th { color: var(--soft); font-size: .8rem }
.question { display: grid; grid-template-columns: 9rem 1fr 1fr; gap: 1.25rem 2rem; padding: 1.5rem 0;
  border-bottom: 1px solid var(--line) }
.asked figure { width: 7rem } .asked b { display: block; line-height: 1.35 }
.asked p { margin-top: .35rem; color: var(--soft); font-size: .85rem }
ol { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .75rem; list-style: none }
figure img, figure span { display: block; width: 100%; aspect-ratio: 1; border-radius: 4px; background: var(--tile);
  object-fit: contain }
figcaption { display: -webkit-box; overflow: hidden; margin-top: .3rem; color: var(--soft); font-size: .75rem;
  line-height: 1.35; overflow-wrap: anywhere; -webkit-box-orient: vertical; -webkit-line-clamp: 3 }
.both img, .both span { outline: 2px solid var(--mark); outline-offset: 2px }
@media (max-width: 52rem) {
  .question { grid-template-columns: 1fr }
  .asked { display: flex; align-items: start; gap: 1rem } .asked figure { flex: none }
}
@media (max-width: 30rem) { th, td { padding-right: .9rem; font-size: .9rem } }
"""


def page(figures: Mapping[str, Any], worst: Sequence[GoldenQuery], catalogue: Catalogue) -> str:
    """The whole page, pictures included, so that the one file can be sent to somebody."""
    before, after = figures["before"], figures["after"]
    title = html.escape(f"From {before['encoder']} to {after['encoder']}")
    names = [f"{when}: {html.escape(side['encoder'])}" for when, side in (("Before", before), ("After", after))]
    questions = "".join(_question(golden, names, catalogue) for golden in worst)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{title}</h1><p class="soft">What the other encoder changes: pictures of the shop, and titles where both'
        f" encoders read words, were asked of generations {before['generation']} and {after['generation']}"
        f" ({figures['golden_queries']} golden queries).</p>{_table(figures)}"
        f'<h2>Where answers changed most</h2><p class="soft">The first {SHOWN} products of each side. A frame says'
        f" that both have it among their first {DEPTH}.</p>{questions}</main></body></html>\n"
    )


def _table(figures: Mapping[str, Any]) -> str:
    before, after = figures["before"], figures["after"]
    head = "".join(f"<th>{html.escape(side['encoder'])}</th>" for side in (before, after))
    rows = [_row(f"overlap@{DEPTH}, {KINDS[kind]}", [value], ".2f") for kind, value in figures["overlap_at_10"].items()]
    for kind, words in KINDS.items():
        rows.append(_row(f"recall@10, {words}", [side["recall"][kind] for side in (before, after)], ".3f"))
    for key, words in (("search_ms_median", "search, median ms"), ("search_ms_p95", "search, 95th percentile ms")):
        rows.append(_row(words, [side[key] for side in (before, after)], ".2f"))
    rows.append(_row("numbers a row", [side["numbers_a_row"] for side in (before, after)], ",d"))
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(name: str, values: Sequence[float | None], form: str) -> str:
    span = f' colspan="{3 - len(values)}"' if len(values) < 2 else ""
    cells = "".join(f"<td{span}>{'–' if value is None else format(value, form)}</td>" for value in values)
    return f"<tr><th>{name}</th>{cells}</tr>"


def _question(golden: GoldenQuery, names: Sequence[str], catalogue: Catalogue) -> str:
    sides = zip(names, (golden.before, golden.after), strict=True)
    products = catalogue.get_many(sorted({golden.key, *golden.before[:SHOWN], *golden.after[:SHOWN]}))
    both = set(golden.before) & set(golden.after)
    strips = "".join(
        f"<div><h3>{name}</h3><ol>{''.join(_hits(keys[:SHOWN], products, both))}</ol></div>" for name, keys in sides
    )
    asked = products.get(golden.key)
    title = "a product that is gone" if asked is None else html.escape(asked.title)
    shown = f"<b>“{title}”</b>" if golden.kind == "text" else f"<figure>{_picture(asked)}</figure>"
    caption = "asked in words" if golden.kind == "text" else f"asked with this picture: {title}"
    depth = min(len(golden.before), len(golden.after))
    same = f"{round(golden.overlap * depth)} of the first {depth} are the same"
    return (
        f'<section class="question"><div class="asked">{shown}<div><p>{caption}</p><p><strong>{same}</strong></p></div>'
        f"</div>{strips}</section>"
    )


def _hits(keys: Sequence[int], products: Mapping[int, Product], both: set[int]) -> Iterator[str]:
    for key in keys:
        product = products.get(key)
        title = "gone" if product is None else html.escape(product.title)
        mark = ' class="both"' if key in both else ""
        yield f"<li{mark}><figure>{_picture(product)}<figcaption>{title}</figcaption></figure></li>"


def _picture(product: Product | None) -> str:
    if product is not None and product.pictures:
        try:
            data = images.read_file(Path(product.pictures[0].path))
            small = base64.b64encode(images.thumbnail(images.decode(data, at_least=SIDE), SIDE)).decode()
        except BadPicture:
            pass
        else:
            return f'<img alt="" src="data:image/jpeg;base64,{small}">'
    return "<span></span>"
