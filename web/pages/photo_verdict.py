"""The view model of a photo's verdict: its sentence, and under "not sold here" the ways out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.hits import NO_MATCH, SIMILAR, TextVerdict
from web.i18n.language import in_sentence, path_of, t
from web.requests.page_request import category_url

if TYPE_CHECKING:
    from search.hits import SearchHit, SearchPage

CLEAR_HITS, CLEAR_SHARE = 8, 0.75  # a kind is clear when so many of the first hits are of one category
MAX_KINDS = 4


@dataclass(frozen=True, slots=True)
class KindLink:
    """A category of the shop, and the URL of its products."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    """The sentence of a verdict; `refused` when the kind is not sold, and then the kinds that come nearest."""

    kind: str
    sentence: str
    kinds: tuple[KindLink, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the page says that the shop does not sell this kind of thing."""
        return self.kind == NO_MATCH


def verdict_view(page: SearchPage) -> VerdictView | None:
    """Return the view of a page's verdict; None for a page without hits or without a photo's verdict."""
    if not page.hits or page.verdict is None or isinstance(page.verdict, TextVerdict):
        return None
    kind = page.verdict.kind
    if kind == NO_MATCH:
        return VerdictView(kind, t(kind), _kinds(page.hits))
    label = _clear_kind(page.hits) if kind == SIMILAR else ""
    return VerdictView(kind, t("similar_kind", kind=label) if label else t(kind))


def _clear_kind(hits: Sequence[SearchHit]) -> str:
    """Return the category of most of the first hits, as it stands inside a sentence; "" when they differ."""
    leading = hits[:CLEAR_HITS]
    counts = Counter(path[-1] for hit in leading if (path := path_of(hit.product)))
    name, count = counts.most_common(1)[0] if counts else ("", 0)
    if count < CLEAR_SHARE * len(leading):
        return ""
    return in_sentence(name)


def _kinds(hits: Sequence[SearchHit]) -> tuple[KindLink, ...]:
    """Return the categories of the best hits, best first, with links to their products."""
    found = {hit.product.category: path_of(hit.product)[-1] for hit in hits if path_of(hit.product)}
    links = [KindLink(name, category_url(path)) for path, name in found.items() if path]
    return tuple(links[:MAX_KINDS])
