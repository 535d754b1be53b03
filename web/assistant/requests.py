"""The request of one message to the assistant: words, a photo, an order to prove, or a button."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Request
from pydantic import BeforeValidator, Field

from search.assistant.dialogue.conversation import ACTIONS, MAX_MESSAGE, CustomerContact, CustomerMessage, OrderProof
from web.i18n.languages import LANGUAGES
from web.middleware.uploads import picture_of_bytes
from web.requests.recommend_request import Visitor
from web.requests.search_models import Timeout
from web.requests.search_request import effective_timeout
from web.requests.validation import (
    Body,
    ChoiceOf,
    PictureSource,
    ProductId,
    RequestModel,
    Text,
    non_blank,
    read_fields,
    source_bytes,
    validate,
)

MAX_EMAIL, MAX_ORDER_NUMBER, MAX_NAME = 254, 40, 100
MAX_WORDS = 300  # characters of a search; as the box of the pages has
IMAGE_FIELD = "image"
JSON_IN_FORMS = ("order", "contact")
TIMEOUT_MS = 3_000  # of a reply, which may need several searches


def _offered(value: object) -> object:
    """Return the first part of a language tag, None where the assistant does not speak it: "de" of "de-AT"."""
    code = value.partition("-")[0].lower() if isinstance(value, str) else value
    return code if not isinstance(code, str) or code in LANGUAGES else None


Email = Annotated[Text, Field(min_length=3, max_length=MAX_EMAIL, pattern=r"^[^@\s]+@[^@\s]+$")]


class OrderFields(RequestModel):
    """An order's number, and the mail address that it was placed with."""

    number: Annotated[Text, non_blank(MAX_ORDER_NUMBER)]
    email: Email


class ContactFields(RequestModel):
    """Where a person can answer."""

    email: Email
    name: Annotated[Text, Field(max_length=MAX_NAME)] = ""


class AssistantRequest(Body):
    """One message to the assistant. An empty one opens the conversation, or asks for answers of staff.

    `language` is that of the page; a message in another language is answered in that.
    """

    example = '{"message": "show me red jumpers", "language": "en"}'
    message: Annotated[Text, Field(max_length=MAX_MESSAGE)] = ""
    token: Text | None = Field(None, description="The `token` of the reply before; without it a conversation begins.")
    product_id: ProductId | None = Field(None, description="The product on the page that the customer is on.")
    page_search: Annotated[Text, Field(max_length=MAX_WORDS)] = Field(
        "", description="The words of the search on the page, which the message may refine."
    )
    language: Annotated[
        str | None, ChoiceOf(tuple(LANGUAGES)), BeforeValidator(_offered, json_schema_input_type=str)
    ] = Field(None, examples=["en"])
    visitor: Visitor | None = Field(None, description="The visitor's random id, under which the thread can be erased.")
    order: OrderFields | None = Field(None, description="An order's number and mail address, which prove it.")
    action: Annotated[str, ChoiceOf(ACTIONS)] | None = Field(
        None, description="`human` asks for a person, `restart` begins a new conversation."
    )
    contact: ContactFields | None = Field(None, description="Where a person can answer.")
    image: PictureSource | None = Field(None, description="A photo of something to find.")
    timeout_ms: Timeout | None = None


def read_assistant_request(request: Request) -> tuple[CustomerMessage, str]:
    """Return the message of a request, and its state token, "" for none.

    Raises BadQuery, MalformedRequest, BadPicture, UnsupportedMediaType.
    """
    fields = read_fields(request, AssistantRequest, files="", as_json=JSON_IN_FORMS)
    if not request.is_json:  # an empty field of a form is one that was not filled in
        fields = {name: value for name, value in fields.items() if value != ""}
    sent = validate(AssistantRequest, fields)
    return message_of(sent), sent.token or ""


def message_of(sent: AssistantRequest) -> CustomerMessage:
    """Return what a request sends as a message to the assistant. Raises BadPicture."""
    picture: Any = None
    if sent.image is not None:
        picture = picture_of_bytes(source_bytes(sent.image))
    return CustomerMessage(
        text=sent.message.strip(),
        language=sent.language or "",
        product_id=sent.product_id or "",
        page_search=sent.page_search.strip(),
        picture=picture,
        action=sent.action or "",
        order=OrderProof(sent.order.number.strip(), sent.order.email) if sent.order else None,
        contact=CustomerContact(sent.contact.email, sent.contact.name) if sent.contact else None,
        visitor=sent.visitor or "",
        timeout_ms=effective_timeout(sent.timeout_ms, TIMEOUT_MS),
    )
