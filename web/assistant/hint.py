"""The hint above results: words in the search box that are a question to the shop's service are answered there."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

from catalog.errors import WindowshopError
from web.assistant.service import EXTENSION, AssistantService
from web.i18n.language import language
from web.i18n.messages import ASSISTANT, page_message
from web.requests.page_request import PageRequest
from web.urls import assistant_url

if TYPE_CHECKING:
    from search.hits import SearchPage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HintView:
    """A hint: its heading, the passage that answers ("" for none) with its title, the link's address and words."""

    heading: str
    passage: str
    source: str
    url: str
    link: str


def service_hint(page_request: PageRequest, page: SearchPage) -> HintView | None:
    """Return the hint for a page of results; None for one that is no question, which is most."""
    service: AssistantService = current_app.extensions[EXTENSION]
    if not service.is_on or not page_request.words or page_request.offset or not page_request.named:
        return None
    try:
        hints = service.hints()
        found = hints.of_search(page_request.words, page) if hints is not None else None
    except WindowshopError as error:  # the results are what the page is for
        log.error("A search could not be read as a question: %s", error)
        return None
    if found is None:
        return None
    passage = found.passage
    return HintView(
        page_message(ASSISTANT, f"choice_{found.intent}", language()),
        passage.text if passage else "",
        page_message(ASSISTANT, "hint_source", language(), title=passage.heading) if passage else "",
        assistant_url(message=page_request.words),
        page_message(ASSISTANT, "hint_link", language()),
    )
