"""Searching in a conversation: "show me red mugs", then "cheaper", "in blue", "show me more", or a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.errors import BadQuery, DeadlineExceeded, UnsupportedQuery
from catalog.text.tokenizer import unspaced
from search.assistant.dialogue.conversation import MAX_CHOICES, CustomerMessage, LastSearch
from search.assistant.dialogue.cues import PRONOUN, has_cue, without_lead, without_pronouns
from search.assistant.dialogue.draft import ReplyDraft
from search.engine import SearchEngine
from search.execution.deadlines import LEXICAL
from search.hits import NO_MATCH, SearchHit, SearchPage
from search.query.builder import QueryBuilder
from search.query.intent import parse_text
from search.query.terms import Query, TextTerm
from search.understanding.understood import NEAR, NOTHING, PRICE_PART, Understood

CARDS = 6  # products that a reply shows
MANY = 24
NEAR_CARDS = 3  # where none is quite what was described
READING_SHARE = 0.5  # of the time that is left, for a search that says what a message means: others follow it
MAX_SEARCH_WORDS = 300  # characters of a search that grew by refinements; a longer one begins a new search


@dataclass(frozen=True, slots=True)
class SearchTurns:
    """Answers messages that look for products."""

    engine: SearchEngine

    def find(self, message: CustomerMessage, text: str, draft: ReplyDraft) -> None:
        """Search for what a message describes, on top of the last search where it only changes that."""
        words = without_lead(text)
        if message.picture is None and not words:
            draft.say("search_what")
            return
        try:
            with draft.says_when_late():
                search, query = self._search_of(message, words, draft)
                self._show(draft, search, replace(query, timeout_ms=draft.timeout_ms))
                draft.remember(product_id=message.product_id)  # "it" is none of what was talked about before
        except UnsupportedQuery:
            draft.say("search_no_words")
        except BadQuery:
            draft.say("search_unclear")

    def more(self, draft: ReplyDraft) -> None:
        """Show the next products of the last search."""
        last = draft.state.search
        try:
            with draft.says_when_late():
                query = replace(self._query_of(last), offset=last.shown, timeout_ms=draft.timeout_ms)
                self._show(draft, last, query)
        except BadQuery:
            draft.say("search_unclear")

    def page_of(self, words: str, draft: ReplyDraft, *, more: bool = False) -> SearchPage | None:
        """Return what words find, None where the shop cannot search for them; with `more`, MANY hits.

        Raises DeadlineExceeded, StepFailed and Overloaded where the words were not read in time: what they mean is
        not known then, which is not the same as meaning nothing.
        """
        timeout_ms = None if draft.deadline is None else draft.deadline.fraction(READING_SHARE).left_ms
        builder = QueryBuilder(k=MANY if more else CARDS, group_variants=True, timeout_ms=timeout_ms)
        try:
            return _read_in_time(self.engine.search(builder.text(words).build()))
        except (BadQuery, UnsupportedQuery):
            return None

    def refines(self, text: str, draft: ReplyDraft) -> bool:
        """Return whether a text only changes the last search: "in blue", "under 20", "cheaper ones".

        Raises DeadlineExceeded, StepFailed and Overloaded where the words were not read in time.
        """
        return self._refined(draft, without_lead(text)) is not None

    def _search_of(self, message: CustomerMessage, words: str, draft: ReplyDraft) -> tuple[LastSearch, Query]:
        if message.picture is not None:
            builder = QueryBuilder(k=CARDS, group_variants=True)
            if words:
                builder.text(words)
            return LastSearch(words), builder.picture(message.picture).build()
        search = self._refined(draft, words)
        if search is not None:
            return search, self._query_of(search)
        like = without_pronouns(words)
        if parse_text(like).cheaper and self._is_product(draft.state.product_id):
            builder = QueryBuilder(k=CARDS, group_variants=True).product(draft.state.product_id).text(like)
            return LastSearch(), builder.build()
        search = LastSearch(self._like_product(like, draft) or like or words)
        return search, self._query_of(search)

    def _like_product(self, words: str, draft: ReplyDraft) -> str:
        """Return words with the kind of the conversation's product, where they name none: "in blue" on a mug's page."""
        product_id = draft.state.product_id
        product = self.engine.find([product_id]).get(product_id) if product_id and words else None
        alone = self.page_of(words, draft) if product is not None else None
        if product is None or alone is None or alone.understood.named or not alone.understood.values:
            return ""
        kind = product.category_path[-1] if product.category_path else ""
        return f"{kind} {words}" if kind and not alone.understood.rest else ""

    def _is_product(self, product_id: str) -> bool:
        return bool(product_id and self.engine.find([product_id]))

    def _refined(self, draft: ReplyDraft, words: str) -> LastSearch | None:
        """Return the last search with words that only change it, None where they look for a thing of their own.

        The words take the place of those that were about the same field. What they mean may depend on the language of
        the search before: "in rot" after "blaue Vase".
        """
        last = draft.state.search
        if not last or not words:
            return None
        alone = self.page_of(words, draft)
        if alone is None or alone.understood.named:
            return None
        added = without_pronouns(words)
        if last.refine:
            return LastSearch(added, last.refine) if added and _changes(words, alone.understood) else None
        joined = self.page_of(f"{last.words} {added}".strip(), draft)
        if joined is None or not (_changes(words, alone.understood) or _adds_value(added, joined.understood)):
            return None
        before = self.page_of(last.words, draft)
        base = _without_replaced(last.words, before.understood, joined.understood, added) if before else last.words
        text = f"{base} {added}".strip()
        return LastSearch(text) if len(text) <= MAX_SEARCH_WORDS else LastSearch(added)

    def _query_of(self, search: LastSearch) -> Query:
        base = self.engine.query_of(search.refine) if search.refine else None
        builder = QueryBuilder(base, k=CARDS, group_variants=True)
        if search.words:
            builder.text(search.words)
        return builder.build()

    def _show(self, draft: ReplyDraft, search: LastSearch, query: Query) -> None:
        page = self.engine.search(query)
        if all(isinstance(term, TextTerm) for term in query.terms):
            _read_in_time(page)
        kind = page.verdict.kind if page.verdict is not None else ""
        hits: Sequence[SearchHit] = page.hits
        if kind in (NEAR, NOTHING, NO_MATCH):
            hits = () if query.offset else hits[:NEAR_CARDS]
        draft.products = tuple(hits)
        shown = query.offset + len(hits)
        words_alone = all(isinstance(term, TextTerm) for term in query.terms)
        draft.search = LastSearch(search.words, "", shown) if words_alone else LastSearch("", page.refine, shown)
        draft.remember(search=draft.search, shown=tuple(hit.product.id for hit in draft.products[:MAX_CHOICES]))
        if not hits:
            draft.say("search_no_more" if query.offset else "search_nothing", words=search.words)
        elif kind in (NEAR, NOTHING, NO_MATCH):
            draft.say("search_near", count=len(hits))
        elif query.offset:
            draft.say("search_more", count=len(hits))
        elif page.total is not None and page.total > len(hits):
            draft.say("search_some", count=len(hits), total=page.total)
        else:
            draft.say("search_found", count=len(hits))


def _read_in_time(page: SearchPage) -> SearchPage:
    """Return a page whose words were read. Raises DeadlineExceeded for one without: its hits are of another order."""
    if LEXICAL in page.degraded:
        raise DeadlineExceeded("The words of a message were not read in time.", "Try again, or allow more time.")
    return page


def _changes(words: str, understood: Understood) -> bool:
    """Return whether words that name no thing say how the things of the last search should be."""
    parsed = parse_text(words)
    if parsed.cheaper or parsed.cheapest or parsed.limit or parsed.in_stock or parsed.unwanted:
        return True
    return bool(understood.values) or has_cue(PRONOUN, words)


def _adds_value(added: str, joined: Understood) -> bool:
    return any(value.words in added for value in joined.values)


def _without_replaced(base: str, before: Understood, joined: Understood, added: str) -> str:
    """Return the words of a search without its values of fields that new words name too, and without its price."""
    fields = {ref.field for value in joined.wanted if value.words in added for ref in value.refs}
    gone = [value.words for value in before.wanted if fields & {ref.field for ref in value.refs}]
    if before.limit is not None and parse_text(added).limit is not None:
        base = before.without.get(PRICE_PART, base)
    joint = "" if unspaced(base) else " "
    for words in gone:
        base = joint.join(base.replace(words, " ").split())
    return base
