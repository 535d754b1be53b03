"""A reply as text in the customer's language, and as JSON: codes and facts become sentences here alone."""

from __future__ import annotations

from typing import Any

from search.assistant.dialogue.conversation import LastSearch, Reply, ReplyPart, ReplySource
from web.api.search import items_json
from web.i18n.messages import ASSISTANT, page_message
from web.urls import api_url, search_url

PARAGRAPH = "\n\n"


def reply_text(reply: Reply) -> str:
    """Return the statements of a reply as text, a paragraph each."""
    return PARAGRAPH.join(_statement(part, reply.language) for part in reply.parts)


def reply_json(reply: Reply, text: str) -> dict[str, Any]:
    """Return a reply as JSON values, without its token; `text` is that of `reply_text`."""
    code = reply.parts[0].code if reply.parts else ""
    handed_over = reply.handed_over
    return {
        "reply": {"code": code, "text": text, "language": reply.language},
        "intent": {"name": reply.intent, "probability": round(reply.probability, 4)} if reply.intent else None,
        "sources": [_source_json(source) for source in reply.sources],
        "products": items_json(reply.products),
        "search_url": _search_url(reply.search) if reply.search else None,
        "expects": reply.state.expects or None,
        "handed_over": None
        if handed_over is None
        else {"reference": handed_over.reference, "queue": handed_over.queue, "reachable": handed_over.reachable},
        "suggestions": [page_message(ASSISTANT, f"choice_{name}", reply.language) for name in reply.choices],
    }


def _statement(part: ReplyPart, language: str) -> str:
    return page_message(ASSISTANT, part.code, language, **part.facts)


def _source_json(source: ReplySource) -> dict[str, Any]:
    return {"kind": source.kind, "title": source.title, "text": source.text, "url": source.url or None}


def _search_url(search: LastSearch) -> str:
    return api_url(search_url(refine=search.refine) if search.refine else search_url(q=search.words))
