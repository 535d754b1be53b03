"""Questions about a product: find out which one is meant, and answer from what the shop states of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.errors import WindowshopError
from catalog.product import CATEGORY_SEPARATOR, Product
from catalog.text.tokenizer import normalise, singularise, unspaced
from search.assistant.dialogue.conversation import PRODUCT, PRODUCT_CHOICE, CustomerMessage, ReplySource
from search.assistant.dialogue.cues import ORDINALS, has_cue, is_cue
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.knowledge import ANSWERED, ProductKnowledge, ProductReply
from search.assistant.dialogue.policy_turns import PolicyTurns
from search.assistant.dialogue.search_turns import SearchTurns
from search.assistant.intents.names import PRODUCT_INTENTS, STOCK_AVAILABILITY
from search.engine import SearchEngine
from search.hits import SearchHit, SearchPage
from search.language.english import FUNCTION_WORDS
from search.language.terms import term_words
from search.query.filters import CATEGORY
from search.understanding.understood import ANSWERS, Understood

MAX_CANDIDATES = 3
ATTRIBUTE, DESCRIPTION = "attribute", "description"
SOURCE_KINDS = {"offer": ATTRIBUTE, "title": DESCRIPTION}  # the kinds of sources of a reply are fewer
_WORD = re.compile(r"[^\W\d_]+")
_PREDICATES = "的吗呢有没么是能可会？?"  # behind a value that is asked of a product and does not name one
_THIS = ("这", "它", "该")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MeantProducts:
    """The product that a question is about, or the hits to choose from; `named` says that it names some kind."""

    product: Product | None = None
    hits: tuple[SearchHit, ...] = ()
    named: bool = False


@dataclass(frozen=True, slots=True)
class ProductTurns:
    """Answers questions about products. A method returns whether nothing states the answer.

    What a product does not state, such as its guarantee, the policies may.
    """

    engine: SearchEngine
    search: SearchTurns
    answers: ProductKnowledge | None = None
    policies: PolicyTurns | None = None

    def question(self, message: CustomerMessage, text: str, intent: str, draft: ReplyDraft) -> bool:
        """Answer a question about a product, or ask which product it is about."""
        meant = self._shown(text, draft) or self._meant(text, draft.state.product_id, draft)
        if meant.product is not None:
            return self._answer(meant.product, text, draft)
        if meant.named and intent == STOCK_AVAILABILITY:
            self.search.find(message, text, draft)
            draft.remember(question=text, intent=intent)  # for "the second"
            return False
        if intent != STOCK_AVAILABILITY and self._policy_answers(text, draft):
            return False
        self._ask(meant, text, intent, draft)
        return False

    def stated(self, text: str, draft: ReplyDraft) -> bool:
        """Answer a text about the product that is talked about, if what is stated of it answers; return whether so."""
        product = self._meant(text, draft.state.product_id, draft).product if draft.state.product_id else None
        found = self._stated(product, text, draft.state.language) if product is not None else None
        if product is None or found is None or found.status != ANSWERED:
            return False
        self._say(product, found, draft)
        return True

    def open_shown(self, text: str, draft: ReplyDraft) -> bool:
        """Take up the product that a text counts out among those shown: "the second". Return whether it does.

        The question that led to the products is answered for it, if there was one.
        """
        place, shown = _ordinal(text), draft.state.shown
        product_id = shown[place] if place is not None and place < len(shown) else ""
        product = self.engine.find([product_id]).get(product_id) if product_id else None
        if product is None:
            return False
        question, intent = draft.state.question, draft.state.intent
        draft.remember(product_id=product.id, question="", intent="")
        if question and intent in PRODUCT_INTENTS:
            self._answer(product, question, draft)
            return True
        draft.say("product_chosen", product=product)
        draft.cite(ReplySource(DESCRIPTION, product.title, product.description, product_id=product.id))
        return True

    def asks_of_shown(self, text: str, draft: ReplyDraft) -> bool:
        """Return whether a question is about the products shown, not an answer to it: "is the second one in stock?"."""
        if not draft.state.shown or _ordinal(text) is not None:
            return False
        return self._shown(text, draft) is not None or text.endswith(("?", "？"))

    def choose(self, message: CustomerMessage, draft: ReplyDraft) -> bool | None:
        """Answer the question that waits for a product, if the message names one; None where it does not."""
        product = self._chosen(message, draft)
        if product is None:
            return None
        question = draft.state.question
        draft.fulfil()
        draft.remember(product_id=product.id)
        return self._answer(product, question, draft)

    def _answer(self, product: Product, text: str, draft: ReplyDraft) -> bool:
        draft.remember(product_id=product.id)
        found = self._stated(product, text, draft.state.language)
        if found is None:
            draft.say("cannot_look_up")
            return True
        if found.status == ANSWERED:
            self._say(product, found, draft)
            return False
        if self._policy_answers(text, draft):
            return False
        draft.say("product_not_stated", product=product)
        return True

    def _policy_answers(self, text: str, draft: ReplyDraft) -> bool:
        return self.policies is not None and self.policies.answer(text, draft)

    def _say(self, product: Product, found: ProductReply, draft: ReplyDraft) -> None:
        draft.say(_code_of(found), **found.facts, product=product, passage=found.passage)
        if found.source is not None:
            kind = SOURCE_KINDS.get(found.source.kind, found.source.kind)
            name = found.source.name if kind == ATTRIBUTE else ""
            draft.cite(ReplySource(kind, name or product.title, found.passage, product_id=product.id))

    def _stated(self, product: Product, text: str, language: str) -> ProductReply | None:
        if self.answers is None:
            return None
        try:
            return self.answers.answer(product, text, language)
        except WindowshopError as error:
            log.error("A question about a product cannot be answered: %s", error)
            return None

    def _shown(self, text: str, draft: ReplyDraft) -> MeantProducts | None:
        """Return the shown product that a text counts out, as "the first one"; None where it does not."""
        place = next((place for place, kind in enumerate(ORDINALS) if has_cue(kind, text)), None)
        if place is None or place >= len(draft.state.shown):
            return None
        product_id = draft.state.shown[place]
        product = self.engine.find([product_id]).get(product_id)
        return MeantProducts(product) if product else None

    def _ask(self, meant: MeantProducts, text: str, intent: str, draft: ReplyDraft) -> None:
        ids = tuple(hit.product.id for hit in meant.hits[:MAX_CANDIDATES])
        draft.products = meant.hits[:MAX_CANDIDATES]
        if not ids and not meant.named:
            ids = draft.state.shown
        draft.say("which_of_these" if ids else "which_product")
        draft.expect(PRODUCT, question=text, intent=intent)
        draft.remember(shown=ids)
        draft.offer(f"{PRODUCT_CHOICE}{product_id}" for product_id in ids)

    def _chosen(self, message: CustomerMessage, draft: ReplyDraft) -> Product | None:
        text, shown = message.text.strip(), draft.state.shown
        if not text and message.product_id:
            return self.engine.find([message.product_id]).get(message.product_id)
        found = self.engine.find(list(shown)) if shown else {}
        offered = [found[sku] for sku in shown if sku in found]
        if (place := _ordinal(text)) is not None and place < len(offered):
            return offered[place]
        if (counted := self._shown(text, draft)) is not None:
            return counted.product
        folded = normalise(text)
        for product in offered:
            titles = (
                product.title,
                *(value for name, value in product.attributes.items() if name.startswith("title_")),
            )
            if any(normalise(title) == folded for title in titles):
                return product
        return self._meant(text, "", draft).product

    def _meant(self, text: str, context: str, draft: ReplyDraft) -> MeantProducts:
        """Return the product that a text names; the one of the context where all that it names is its own."""
        page = self.search.page_of(text, draft)
        understood = page.understood if page is not None else Understood()
        own = self.engine.find([context]).get(context) if context else None
        other = _other_named(text, own, page) if own is not None and page is not None else ""
        if own is not None and not other and (not understood.named or _is_of_kind(own, understood)):
            return MeantProducts(own)
        parts = [*(kind.words for kind in understood.named), *(value.words for value in understood.wanted)]
        named = bool(understood.named or other)
        words = other or " ".join(dict.fromkeys(parts))
        page = self.search.page_of(words, draft, more=True) if named else page
        if page is None or page.verdict is None or (named and page.verdict.kind != ANSWERS):
            return MeantProducts(named=named)
        if len(page.hits) == 1 and named and page.total == 1:
            return MeantProducts(page.hits[0].product)
        best = _best_named(other or text, page.hits)
        if len(best) == 1:
            return MeantProducts(best[0].product)
        return MeantProducts(hits=tuple(best or page.hits) if named else (), named=named)


def _is_of_kind(product: Product, understood: Understood) -> bool:
    refs = [ref for kind in understood.named for ref in kind.refs if ref.field == CATEGORY]
    path = product.category
    return not refs or any(path == ref.label or path.startswith(ref.label + CATEGORY_SEPARATOR) for ref in refs)


def _other_named(text: str, own: Product, page: SearchPage) -> str:
    """Return the words of a text that name another product than `own`, "" where there are none: "walnut stool".

    They are the first word for a kind of thing, with the words of values and titles before it. A word behind it is
    what is asked of it: "is the vase blue?". What follows "it" is asked as well: "does it come in green?".
    """
    if unspaced(text):
        return _other_value(text, own, page.understood)
    words = [singularise(word) for word in _WORD.findall(normalise(text))]
    if "it" in words:
        words = words[: words.index("it")]
    mine = _words(" ".join((own.title, own.category, own.brand or "", *map(str, own.attributes.values()))))
    paths = [path for path in (own.category, *(hit.product.category for hit in page.hits)) if path]
    kinds = {singularise(words_of[-1]) for path in paths if (words_of := _WORD.findall(normalise(path)))}
    kinds |= {word for kind in page.understood.named for word in _words(kind.words)}
    values = {word for value in page.understood.wanted for word in _words(value.words)}
    titles = {word for hit in page.hits for word in _words(hit.product.title)}
    place = next((place for place, word in enumerate(words) if word in kinds), None)
    if place is None:
        is_one = page.total == 1 and page.verdict is not None and page.verdict.kind == ANSWERS
        return " ".join(word for word in words if is_one and word in titles - values - mine)
    start = place
    while start and words[start - 1] in values | titles | mine and words[start - 1] not in FUNCTION_WORDS:
        start -= 1
    phrase = words[start : place + 1]
    return "" if mine.issuperset(phrase) else " ".join(phrase)


def _other_value(text: str, own: Product, understood: Understood) -> str:
    """Return the words of a text without spaces that begin with a value that `own` lacks: "蓝色马克杯能放洗碗机吗"."""
    labels = set(map(str, own.attributes.values()))
    for value in understood.wanted:
        place = text.find(value.words)
        behind = text[place + len(value.words) :][:1]
        if place < 0 or not behind or behind in _PREDICATES or any(word in text[:place] for word in _THIS):
            continue
        if labels.isdisjoint(ref.label for ref in value.refs):
            return text
    return ""


def _best_named(text: str, hits: Sequence[SearchHit]) -> list[SearchHit]:
    """Return the hits whose titles share the most words with a text: at least two, and more than all others."""
    words = _words(text)
    shared = {hit.product.id: len(words & _words(hit.product.title)) for hit in hits}
    most = max(shared.values(), default=0)
    return [hit for hit in hits if shared[hit.product.id] == most] if most > 1 else []


def _words(text: str) -> set[str]:
    return {singularise(word) for word in term_words(normalise(text)) if word not in FUNCTION_WORDS}


def _ordinal(text: str) -> int | None:
    """Return the place, from 0, that a text names: "the first one", "2"; None for another text."""
    if text.isdecimal() and 1 <= int(text) <= len(ORDINALS):
        return int(text) - 1
    return next((place for place, kind in enumerate(ORDINALS) if is_cue(kind, text)), None)


def _code_of(answer: ProductReply) -> str:
    """Return the code of what is stated; of a single customer, or where none says yes or no, only the quote.

    What they say of the fit is counted by other words than yes and no.
    """
    facts = answer.facts
    if "total" in facts and (facts["total"] == 1 or not facts["most"]):
        return f"product_{answer.code}_quote"
    if "values" in facts and answer.code == "out_of_stock":
        return "product_out_of_stock_others"
    return f"product_{answer.code}_fit" if "small" in facts else f"product_{answer.code}"
