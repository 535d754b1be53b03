"""What answers need of a shop's policies, the facts about its products, and its queues; other packages provide them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from catalog.product import Product
from search.assistant.handover.queues import Route
from search.assistant.intents.classifier import IntentPrediction

ANSWERED, UNSURE, NOT_STATED = "answered", "unsure", "not_stated"  # statuses of answers


class StatedPassage(Protocol):
    """A passage of a policy."""

    @property
    def heading(self) -> str:
        """The heading that it stands below."""
        ...

    @property
    def topic(self) -> str:
        """The name of its file."""
        ...

    @property
    def text(self) -> str:
        """Its words."""
        ...


class PolicyWords(Protocol):
    """What words an answer from passages, such as a language model."""

    def write(self, question: str, passages: Sequence[str], language: str) -> str | None:
        """Return an answer that cites passages by number; None where a passage is shown instead."""
        ...


class FoundPassage(Protocol):
    """A passage found for a question."""

    @property
    def passage(self) -> StatedPassage:
        """The passage."""
        ...


class PolicyReply(Protocol):
    """Whether policies answer a question, and the passages found, best first."""

    @property
    def status(self) -> str:
        """One of ANSWERED, UNSURE, NOT_STATED."""
        ...

    @property
    def hits(self) -> Sequence[FoundPassage]:
        """The passages."""
        ...


class PolicyKnowledge(Protocol):
    """The policies of a shop."""

    def answer(self, text: str, language: str = "") -> PolicyReply:
        """Return whether the policies answer a question, and from which passages."""
        ...


class FactSource(Protocol):
    """Where a fact about a product stands."""

    @property
    def kind(self) -> str:
        """The kind of the source."""
        ...

    @property
    def name(self) -> str:
        """The name of an attribute, "" for other sources."""
        ...


class ProductReply(Protocol):
    """What is stated about a product: the facts of a code, with the passage that states them."""

    @property
    def status(self) -> str:
        """ANSWERED or NOT_STATED."""
        ...

    @property
    def code(self) -> str:
        """What the answer says."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts that fill its words."""
        ...

    @property
    def passage(self) -> str:
        """The words that state it."""
        ...

    @property
    def source(self) -> FactSource | None:
        """Where they stand."""
        ...


class ProductKnowledge(Protocol):
    """The facts about the products of a shop."""

    def answer(self, product: Product | str, text: str, language: str = "") -> ProductReply:
        """Return what is stated about a product that answers a question."""
        ...


class QueueRouter(Protocol):
    """The queues of a shop's staff."""

    def route(self, text: str, language: str, prediction: IntentPrediction | None) -> Route:
        """Return the queue and priority of a conversation."""
        ...
