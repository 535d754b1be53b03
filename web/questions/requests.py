"""The requests of questions about products: ask, send to the shop, answer, list."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from catalog.questions.question_store import MAX_ANSWER, MAX_QUESTION, OPEN, STATES
from web.i18n.languages import LANGUAGES
from web.requests.recommend_request import Visitor
from web.requests.validation import ChoiceOf, Flag, Parameters, RequestModel, Text, Whole, non_blank

MAX_LISTED = 200
LAST_ID = 1_000_000_000
QuestionText = Annotated[Text, non_blank(MAX_QUESTION)]
Language = Annotated[str, ChoiceOf(tuple(LANGUAGES))]


class AskParameters(Parameters):
    """A question to answer at once from what is stated."""

    ask: Annotated[Text, Field(max_length=MAX_QUESTION, examples=["Is it dishwasher safe?"])] = ""
    language: Annotated[Language, Field(examples=["en"])] = "en"


class SentQuestion(RequestModel):
    """A question for the shop's people."""

    example = '{"text": "Is it dishwasher safe?", "language": "en"}'
    text: QuestionText
    language: Language | None = None
    visitor: Visitor | None = Field(None, description="The visitor's random id, under which the question is erased.")


class ShopAnswer(RequestModel):
    """The shop's answer to a question."""

    example = '{"answer": "Yes, on the top rack.", "publish": true}'
    runnable = False
    answer: Annotated[Text, non_blank(MAX_ANSWER)]
    language: Language | None = None
    publish: Flag = Field(True, description="False stores the answer and shows it to nobody.")


class QuestionsPage(Parameters):
    """Which questions to list: those of a state, the newest first."""

    state: Annotated[str, ChoiceOf(STATES), Field(examples=[OPEN])] = OPEN
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED, examples=[50]), Whole] = 50
    before: Annotated[int, Field(ge=0, le=LAST_ID, examples=[0]), Whole] = 0
