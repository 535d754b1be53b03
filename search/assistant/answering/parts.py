"""What the assistant answers from. A shop may lack any of it; the replies then say what cannot be done."""

from __future__ import annotations

from dataclasses import dataclass, field

from search.assistant.dialogue.knowledge import PolicyKnowledge, PolicyWords, ProductKnowledge, QueueRouter
from search.assistant.handover.handovers import Handovers
from search.assistant.handover.queues import QueueRules
from search.assistant.intents.classifier import IntentClassifier
from search.assistant.orders.order_desk import OrderDesk
from search.assistant.threads.thread_store import ThreadStore


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """Orders, the store of conversations, and the way to a person; None for what the shop lacks."""

    orders: OrderDesk | None = None
    threads: ThreadStore | None = None
    handovers: Handovers | None = None
    rules: QueueRules | None = None  # of queues


@dataclass(frozen=True, slots=True, repr=False)
class LanguageModel:
    """A language model that may word answers: its OpenAI-compatible address, its name and its key."""

    url: str
    name: str | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class AssistantParts:
    """The parts of one shop's assistant; None for what the shop lacks."""

    classifier: IntentClassifier | None = None
    policies: PolicyKnowledge | None = None
    products: ProductKnowledge | None = None
    queues: QueueRouter | None = None
    service: ServiceParts = field(default_factory=ServiceParts)
    words: PolicyWords | None = None
