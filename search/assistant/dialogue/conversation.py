"""What a customer sends, what a conversation remembers, and what the assistant replies: codes and facts, no prose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from search.hits import SearchHit

if TYPE_CHECKING:
    from PIL import Image

MAX_MESSAGE = 1_000  # characters
MAX_CHOICES = 3
PRODUCT_CHOICE = "product:"  # begins a choice that is a product's id; any other is an intent

# What the next message is expected to hold.
ORDER_NUMBER, ORDER_EMAIL, PRODUCT, REPHRASE, CONTACT = "order_number", "order_email", "product", "rephrase", "contact"
EXPECTED = (ORDER_NUMBER, ORDER_EMAIL, PRODUCT, REPHRASE, CONTACT)
HUMAN, RESTART = "human", "restart"  # actions that a button sends in place of words
ACTIONS = (HUMAN, RESTART)


@dataclass(frozen=True, slots=True)
class OrderProof:
    """What proves that an order is a customer's own: its number, and the mail address that it was placed with."""

    number: str
    email: str


@dataclass(frozen=True, slots=True)
class CustomerContact:
    """Where a person can answer a customer."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """One message of a customer. `language` is that of the page, `product_id` the product on it, "" for none.

    `page_search` has the words of the search on the page, which a conversation without a search of its own refines.
    `choice` is the intent whose button was pressed, `action` one of ACTIONS.
    """

    text: str = ""
    language: str = ""
    product_id: str = ""
    page_search: str = ""
    picture: Image.Image | None = None
    choice: str = ""
    action: str = ""
    order: OrderProof | None = None
    contact: CustomerContact | None = None
    visitor: str = ""
    caller: str = ""  # the address of the network that it came from, "" where many customers may share it
    timeout_ms: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written, shown or pressed."""
        return not (self.text.strip() or self.picture or self.choice or self.action or self.order or self.contact)


@dataclass(frozen=True, slots=True)
class LastSearch:
    """The search that "cheaper" or "in blue" refines: its words, the refine token of its picture, products shown."""

    words: str = ""
    refine: str = ""
    shown: int = 0

    def __bool__(self) -> bool:
        return bool(self.words or self.refine)


@dataclass(frozen=True, slots=True)
class DialogueState:
    """What a conversation remembers between two messages; it travels in the state token.

    `expects` is one of EXPECTED or "". `question` is the message that waits for it, and `intent` what it is about.
    """

    thread: str
    language: str = ""
    product_id: str = ""
    search: LastSearch = LastSearch()
    misunderstood: int = 0  # messages in a row
    expects: str = ""
    question: str = ""
    intent: str = ""
    topic: str = ""  # the intent of the last message that was understood
    reminded: bool = False  # of what is expected, after another question came in between
    attempts: int = 0  # at proving an order
    order_number: str = ""  # that waits for the mail address of its order
    order_email: str = ""  # that waits for the number
    shown: tuple[str, ...] = ()  # products to choose from: "the first one"
    reference: str = ""  # of the hand-over to a person, and its queue
    queue: str = ""
    has_contact: bool = False  # the customer said where a person can answer
    proved_email: str = ""  # the mail address of the order that was proved last
    seen: int = 0  # the number of the last message of the thread that the customer has


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """A statement of a reply: the code that a message file has a text for, and the facts that fill it."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplySource:
    """Where an answer comes from: a policy, an attribute, a description, a review, an answered question, an order."""

    kind: str
    title: str
    text: str
    url: str = ""
    product_id: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A conversation that a person has: its reference and queue, and whether mail or web tell the shop of it."""

    reference: str
    queue: str
    reachable: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """What the assistant replies. `search` is the search that `products` come from; `choices` name offers to press."""

    parts: tuple[ReplyPart, ...]
    language: str
    state: DialogueState
    intent: str = ""
    probability: float = 0.0
    sources: tuple[ReplySource, ...] = ()
    products: tuple[SearchHit, ...] = ()
    search: LastSearch | None = None
    handed_over: HandedOver | None = None
    choices: tuple[str, ...] = ()
    stored: bool = False  # whether the message is in the store of threads
