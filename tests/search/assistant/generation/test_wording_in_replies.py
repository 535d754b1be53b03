"""An answer that a model worded has all its sources; without a model, or without its answer, the passage is shown."""

from search.assistant.dialogue.conversation import DialogueState
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.policy_turns import PolicyTurns
from search.assistant.generation.answer_writer import AnswerWriter
from search.assistant.policies.passage import ANSWERED, Passage, PassageHit, PolicyAnswer
from tests.search.assistant.generation.model_stub import model_stub

QUESTION = "how long can I return unused items"
PASSAGES = (
    Passage("returns.md#time", "returns.md", "returns", "Time", "You can return unused items within 30 days.", "en"),
    Passage("delivery.md", "delivery.md", "delivery", "", "Delivery costs 4.90 euros.", "en"),
)


class Policies:
    """Policies that answer every question with both passages."""

    def answer(self, text, language=""):
        return PolicyAnswer(ANSWERED, tuple(PassageHit(passage, 1.0, 0.9) for passage in PASSAGES))


def reply(writer):
    draft = ReplyDraft(DialogueState("t", language="en"))
    assert PolicyTurns(Policies(), writer).answer(QUESTION, draft)
    done = draft.finish()
    return [(part.code, part.facts["passage"]) for part in done.parts], [source.title for source in done.sources]


def test_what_a_model_wrote_is_shown_with_the_passages_it_cites_or_not_at_all():
    shown = [("policy_answer", PASSAGES[0].text)], ["Time"]
    assert reply(None) == shown
    with model_stub() as stub:
        writer = AnswerWriter.of(stub.url, "m")
        stub.says("You can return unused items within 30 days [1]. Delivery costs 4.90 euros [2].")
        said = "You can return unused items within 30 days [1]. Delivery costs 4.90 euros [2]."
        assert reply(writer) == ([("policy_worded", said)], ["Time", "delivery"])
        stub.says("You can return everything within 90 days [1].")
        assert reply(writer) == shown
