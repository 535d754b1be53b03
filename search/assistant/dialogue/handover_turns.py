"""Passing a conversation on to a person, with all of it, so that the customer repeats nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from catalog.errors import WindowshopError
from search.assistant.dialogue.conversation import CONTACT, REPHRASE, CustomerContact, DialogueState, HandedOver
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.knowledge import QueueRouter
from search.assistant.dialogue.policy_turns import PolicyTurns
from search.assistant.handover.handover import Contact
from search.assistant.handover.handovers import Handovers
from search.assistant.handover.queues import Route
from search.assistant.intents.classifier import IntentPrediction
from search.assistant.threads.thread import HIGH, URGENT

REQUESTED, MISUNDERSTOOD, NEEDS_PERSON, COMPLAINT = "requested", "misunderstood", "needs_person", "complaint"
NO_ANSWERS = frozenset(
    ("policy_not_stated", "cannot_look_up", "did_you_mean", "not_understood", "out_of_scope", "product_not_stated")
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HandoverTurns:
    """Hands conversations over; without `handovers`, the shop has no way to. `policies` may say how it is reached."""

    handovers: Handovers | None = None
    queues: QueueRouter | None = None
    policies: PolicyTurns = PolicyTurns()  # noqa: RUF009 - frozen

    def hand_over(self, draft: ReplyDraft, reason: str, text: str) -> bool:
        """Hand the conversation over, and ask where a person can answer; return whether that was done.

        An address of the message, or of an order that was proved, is where a person answers. A second request of the
        same message says nothing more, and counts for the queue only as a complaint.
        """
        if draft.handed_over is not None:
            return reason != COMPLAINT or self._request(draft, reason, self._route(draft, text), Contact())
        known = bool(draft.state.reference)
        contact = Contact.read(draft.email or ("" if draft.state.has_contact else draft.state.proved_email))
        if not self._request(draft, reason, self._route(draft, text), contact):
            draft.say("person_unavailable")
            self.policies.add_contact(draft)
            return False
        if known:
            draft.say("handed_over_again", reference=draft.state.reference)
        else:
            _say_handed_over(draft)
        if contact.email:
            _note_contact(draft, contact)
        elif not draft.state.has_contact:
            draft.fulfil()
            draft.expect(CONTACT)
            draft.say("leave_contact")
        if not known:
            self.policies.add_contact(draft)
        draft.remember(misunderstood=0)
        return True

    def hand_over_urgent(self, draft: ReplyDraft, text: str, *, unclear: bool) -> None:
        """Hand over what has an urgent word of the queues, or one of high priority where the message is not clear.

        An answer stays; what only says that there is none does not. Words of a search that found products are names.
        """
        if self.queues is None or self.handovers is None or draft.handed_over is not None or draft.products:
            return
        if self.queues.route(text, draft.state.language, None).priority < (HIGH if unclear else URGENT):
            return
        draft.parts = [part for part in draft.parts if part.code not in NO_ANSWERS]
        draft.choices = ()
        if draft.state.expects == REPHRASE:
            draft.fulfil()
        self.hand_over(draft, NEEDS_PERSON, text)

    def take_contact(self, draft: ReplyDraft, contact: CustomerContact, text: str) -> None:
        """Store where a person can answer, and hand the conversation over where that was not done before.

        An address that no mail can be sent to is asked for again.
        """
        known = bool(draft.state.reference)
        usable = Contact.read(contact.email, contact.name)
        draft.fulfil()
        if not usable.email:
            draft.expect(CONTACT)
            draft.say("contact_unreadable")
            return
        route = Route(draft.state.queue) if draft.state.queue else self._route(draft, text)  # nothing new is wanted
        if not self._request(draft, REQUESTED, route, usable):
            draft.say("person_unavailable")
            return
        if not known:
            _say_handed_over(draft)
        _note_contact(draft, usable)

    def take_address(self, draft: ReplyDraft) -> None:
        """Take an address that a message gives for anything else as where a person can answer, if none is known."""
        contact, state = Contact.read(draft.email), draft.state
        if not state.reference or state.has_contact or not contact.email:
            return
        if self._request(draft, REQUESTED, Route(state.queue), contact):
            _note_contact(draft, contact)

    def known_to_staff(self, state: DialogueState) -> DialogueState:
        """Return the state with the hand-over of the conversation, which staff may have made; as it is without one."""
        try:
            stored = self.handovers.of_thread(state.thread) if self.handovers is not None else None
        except WindowshopError as error:
            log.error("A hand-over could not be read: %s", error)
            stored = None
        if stored is None:
            return state
        has_contact = state.has_contact or bool(stored.contact.email)
        return replace(state, reference=stored.reference, queue=stored.queue, has_contact=has_contact)

    def _route(self, draft: ReplyDraft, text: str) -> Route:
        known = IntentPrediction(draft.intent, draft.probability, 1.0, (), certain=True) if draft.intent else None
        return Route() if self.queues is None else self.queues.route(text, draft.state.language, draft.unclear or known)

    def _request(self, draft: ReplyDraft, reason: str, route: Route, contact: Contact) -> bool:
        if self.handovers is None or self.queues is None:
            return False
        priority = max(route.priority, HIGH) if reason == COMPLAINT else route.priority
        try:
            handovers = self.handovers.of_caller(draft.caller)
            made = handovers.request(draft.state.thread, reason, route.queue, priority, contact)
        except WindowshopError as error:
            log.error("A conversation could not be handed over: %s", error)
            return False
        draft.handed_over = HandedOver(made.reference, made.queue, made.reachable)
        draft.remember(reference=made.reference, queue=made.queue)
        return True


def _say_handed_over(draft: ReplyDraft) -> None:
    notified = draft.handed_over is not None and draft.handed_over.reachable
    draft.say("handed_over" if notified else "handed_over_waiting", reference=draft.state.reference)


def _note_contact(draft: ReplyDraft, contact: Contact) -> None:
    if draft.state.expects == CONTACT:
        draft.fulfil()
    draft.remember(has_contact=True)
    draft.say("contact_taken", email=contact.email)
