"""The view of what answers words: the sentence above the results, removable parts, and the row of near products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.product import CATEGORY_SEPARATOR
from search.hits import TextVerdict
from search.query.filters import ATTRIBUTE, CATEGORY, PRICE
from search.understanding.understood import (
    ANSWERS,
    NAMED,
    NEAR,
    NOTHING,
    PRICE_PART,
    STOCK_PART,
    Understood,
    UnderstoodKind,
)
from web.engine import get_engine
from web.i18n.language import in_sentence, t, value_label
from web.i18n.money import range_label
from web.requests.page_request import PageRequest, category_url, compact
from web.urls import search_url

if TYPE_CHECKING:
    from search.hits import SearchPage

MAX_WAYS = 8  # kinds to look through where nothing is found
NEAR_HEADINGS = {"values": "near_values", "price": "near_price"}  # of products that are near for these reasons


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the question as it was understood, and the URL of the results without it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What the page says of a question in words: a sentence ("" for none), its parts, and the heading of the near row.

    `kind` is "answers", "near" or "nothing"; `ways` lead on where nothing is found.
    """

    kind: str
    sentence: str
    parts: tuple[Part, ...]
    near_heading: str
    ways: tuple[Part, ...]

    @property
    def uncounted(self) -> bool:
        """Whether the products on the page are no answers, so that nothing is counted."""
        return self.kind in (NEAR, NOTHING)


def answer_view(page_request: PageRequest, page: SearchPage) -> AnswerView | None:
    """Return the view of what answers the words of a page; None where the page is not about words alone."""
    understood = page.understood
    if page.verdict is None and understood.without and not page.query.terms:  # "in stock", "under 20"
        return AnswerView(ANSWERS, "", _parts(page_request, page), "", ())
    if not isinstance(page.verdict, TextVerdict):
        return None
    kind = page.verdict.kind
    named = _kind_label(understood)
    near_heading = ""
    if page.near:
        near_heading = t("near_kinds")
        if named and page.near_by in NEAR_HEADINGS:
            near_heading = t(NEAR_HEADINGS[page.near_by], kind=named)
    return AnswerView(
        kind,
        _sentence(page, named),
        _parts(page_request, page),
        near_heading,
        _ways() if kind == NOTHING else (),
    )


def _sentence(page: SearchPage, named: str) -> str:
    if page.verdict is not None and page.verdict.kind == NEAR:
        return t("no_exact")
    missing = [value.words for value in page.understood.wanted if not value.found]
    if missing and named and page.hits:
        return t("no_such_value", values=t("comma").join(missing), kind=named)
    if not page.understood.complete and page.hits and len(page.understood.wanted) > 1:
        return t("not_together", values=t("comma").join(value.words for value in page.understood.wanted))
    return ""


def _kind_label(understood: Understood) -> str:
    """Return the name of the kind that is asked for, as it stands in a sentence; "" when there are several."""
    kinds = [kind for kind in understood.kinds if kind.source == NAMED]
    labels = {label for kind in kinds for label in _labels(kind)}
    return in_sentence(labels.pop()) if len(labels) == 1 else ""


def _labels(kind: UnderstoodKind) -> Sequence[str]:
    """Return the own names of a kind's categories in the page's language."""
    own = [ref.label for ref in kind.refs if ref.field == CATEGORY]
    translated = [ref.label for ref in kind.refs if ref.field.startswith(ATTRIBUTE + CATEGORY)]
    labels = [value_label(CATEGORY, label) for label in own] or translated
    return list(dict.fromkeys(label.rpartition(CATEGORY_SEPARATOR)[2] for label in labels))


def _parts(page_request: PageRequest, page: SearchPage) -> tuple[Part, ...]:
    """Return the parts that can be removed; none where the words are in a token and not in the address."""
    understood = page.understood
    if not page_request.named or not understood.without:
        return ()
    labels: dict[str, str] = {}
    for kind in understood.named:
        names = _labels(kind)
        labels[kind.words] = names[0] if len(names) == 1 else kind.words
    labels |= {value.words: value.words for value in understood.wanted}
    labels |= {value.words: t("not_words", words=value.words) for value in understood.excluded}
    if understood.limit is not None:
        labels[PRICE_PART] = range_label(
            understood.limit, next((facet.currency for facet in page.facets if facet.name == PRICE), "")
        )
    if understood.in_stock:
        labels[STOCK_PART] = t("in_stock")
    if len(labels) < 2:
        return ()  # one part is the whole question, which the search box shows
    return tuple(
        Part(label, _address(page_request, understood.without.get(words, ""))) for words, label in labels.items()
    )


def _address(page_request: PageRequest, words: str) -> str:
    fields = page_request.fields() | {"q": words, "filter": compact(page_request.filter), "sort": page_request.sort}
    return search_url(**fields)


def _ways() -> tuple[Part, ...]:
    """Return the shop's largest kinds, with links to their products."""
    kinds = get_engine().categories()
    largest = sorted(kinds, key=lambda label: (-kinds[label], label))[:MAX_WAYS]
    by_name = {value_label(CATEGORY, label).rpartition(CATEGORY_SEPARATOR)[2]: category_url(label) for label in largest}
    return tuple(Part(name, address) for name, address in by_name.items())
