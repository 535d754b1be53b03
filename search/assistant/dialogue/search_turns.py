"""Searching in a conversation: "show me red mugs", then "cheaper", "in blue", "show me more", or a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.errors import BadQuery, DeadlineExceeded, StepFailed, UnknownProduct, UnsupportedQuery
from catalog.text.tokenizer import unspaced
from search.assistant.dialogue.conversation import CustomerMessage, LastSearch
from search.assistant.dialogue.cues import PRONOUN, has_cue, without_lead, without_pronouns
from search.assistant.dialogue.draft import ReplyDraft
from search.engine import SearchEngine
from search.hits import NO_MATCH, SearchHit, SearchPage
from search.query.builder import QueryBuilder
from search.query.intent import parse_text
from search.query.terms import Query, TextTerm
from search.understanding.understood import NEAR, NOTHING, PRICE_PART, Understood

CARDS = 6  # products that a reply shows
NEAR_CARDS = 3  # where none is quite what was described
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
            search, query = self._search_of(message, words, draft)
            self._show(draft, search, replace(query, timeout_ms=message.timeout_ms))
        except UnsupportedQuery:
            draft.say("search_no_words")
        except BadQuery:
            draft.say("search_unclear")
        except (DeadlineExceeded, StepFailed):
            draft.say("search_late")

    def more(self, message: CustomerMessage, draft: ReplyDraft) -> None:
        """Show the next products of the last search."""
        last = draft.state.search
        try:
            query = replace(self._query_of(last), offset=last.shown, timeout_ms=message.timeout_ms)
            self._show(draft, last, query)
        except (BadQuery, DeadlineExceeded, StepFailed):
            draft.say("search_late")

    def page_of(self, words: str, timeout_ms: int | None = None) -> SearchPage | None:
        """Return what words find, None where the shop cannot search for them now."""
        try:
            query = QueryBuilder(k=CARDS, group_variants=True, timeout_ms=timeout_ms).text(words).build()
            return self.engine.search(query)
        except (BadQuery, UnsupportedQuery, DeadlineExceeded, StepFailed):
            return None

    def _search_of(self, message: CustomerMessage, words: str, draft: ReplyDraft) -> tuple[LastSearch, Query]:
        if message.picture is not None:
            builder = QueryBuilder(k=CARDS, group_variants=True)
            if words:
                builder.text(words)
            return LastSearch(words), builder.picture(message.picture).build()
        last = draft.state.search
        alone = self.page_of(words, message.timeout_ms)
        if last and alone is not None and _changes(words, alone.understood):
            search = self._refined(last, words, alone.understood)
            return search, self._query_of(search)
        if draft.state.product_id and parse_text(words).cheaper and not (alone and alone.understood.named):
            builder = QueryBuilder(k=CARDS, group_variants=True).product(draft.state.product_id).text(words)
            try:
                self.engine.product(draft.state.product_id)
                return LastSearch(), builder.build()
            except UnknownProduct:
                pass
        search = LastSearch(words)
        return search, self._query_of(search)

    def _refined(self, last: LastSearch, words: str, understood: Understood) -> LastSearch:
        """Return the last search with words added, which take the place of its words about the same field."""
        words = without_pronouns(words)
        base = last.words
        if base and (page := self.page_of(base)) is not None:
            base = _without_replaced(base, page.understood, understood)
        joined = f"{base} {words}".strip()
        return LastSearch(joined if len(joined) <= MAX_SEARCH_WORDS else words, last.refine)

    def _query_of(self, search: LastSearch) -> Query:
        base = self.engine.query_of(search.refine) if search.refine else None
        builder = QueryBuilder(base, k=CARDS, group_variants=True)
        if search.words:
            builder.text(search.words)
        return builder.build()

    def _show(self, draft: ReplyDraft, search: LastSearch, query: Query) -> None:
        page = self.engine.search(query)
        kind = page.verdict.kind if page.verdict is not None else ""
        hits: Sequence[SearchHit] = page.hits
        if kind in (NEAR, NOTHING, NO_MATCH):
            hits = () if query.offset else hits[:NEAR_CARDS]
        draft.products = tuple(hits)
        shown = query.offset + len(hits)
        words_alone = all(isinstance(term, TextTerm) for term in query.terms)
        draft.search = LastSearch(search.words, "", shown) if words_alone else LastSearch("", page.refine, shown)
        draft.remember(search=draft.search)
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


def _changes(words: str, understood: Understood) -> bool:
    """Return whether words name no thing of their own, only how the things of the last search should be."""
    if understood.named:
        return False
    parsed = parse_text(words)
    if parsed.cheaper or parsed.cheapest or parsed.limit or parsed.in_stock or parsed.unwanted:
        return True
    return bool(understood.values) or has_cue(PRONOUN, words)


def _without_replaced(base: str, before: Understood, now: Understood) -> str:
    """Return the words of a search without its values of fields that new words name too, and without its price."""
    fields = {ref.field for value in now.wanted for ref in value.refs}
    gone = [value.words for value in before.wanted if fields & {ref.field for ref in value.refs}]
    if now.limit is not None and before.limit is not None:
        gone.append(PRICE_PART)
    for part in gone:
        if len(gone) == 1 and part in before.without:
            return before.without[part]
        joint = "" if unspaced(base) else " "
        base = joint.join(base.replace(part, " ").split()) if part != PRICE_PART else before.without.get(part, base)
    return base
