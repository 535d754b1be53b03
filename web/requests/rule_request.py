"""The requests of the owner's rules: a rule to save, which rules and changes to list, how to import a table."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.merchandising.filter_text import MAX_FILTER_TEXT
from search.merchandising.rules import ACTIONS, EXACT, MATCHES, MAX_QUESTION, Rule
from web.requests.validation import Body, ChoiceOf, Flag, Number, Parameters, Text, Whole

MAX_LISTED = 1_000  # rules in one answer
MAX_CHANGES = 500  # changes in one answer
DATE = {"pattern": r"^(\d{4}-\d{2}-\d{2})?$"}
MAX_PREVIEWED = 48  # hits of a preview
LAST = 2**31 - 1


class RuleFields(Body):
    """A rule of search. A rule of the same action, match, question and target is changed, any other is added."""

    example = '{"action": "pin", "question": "red mug", "target": "mug-1a", "number": 1}'
    runnable = False
    action: Annotated[str, ChoiceOf(ACTIONS)]
    match: Annotated[str, ChoiceOf(MATCHES)] = Field(EXACT, description="What a shopper's question must be.")
    question: Annotated[Text, Field(max_length=MAX_QUESTION, description='Blank for the match "every".')] = ""
    target: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=MAX_FILTER_TEXT,
            description="By action: the other word, a product id, a filter (brand=Puma|Nike; price=..50), an address.",
        ),
    ]
    number: Number | None = Field(None, description="The position of a pin from 1, or the factor of a boost or bury.")
    starts: Annotated[Text, Field(json_schema_extra=DATE, description="The first day, as YYYY-MM-DD.")] = ""
    ends: Annotated[Text, Field(json_schema_extra=DATE, description="The last day, as YYYY-MM-DD.")] = ""

    def rule(self) -> Rule:
        """Return the rule as it was sent, unchecked."""
        return Rule(self.action, self.question, self.target, self.match, self.number, self.starts, self.ends)


class Preview(Body):
    """A rule to try, and what a shopper asks: by default the question of the rule."""

    example = '{"rule": {"action": "pin", "question": "red mug", "target": "mug-1a"}, "text": "red mugs"}'
    runnable = False
    rule: RuleFields
    text: Annotated[Text, Field(max_length=MAX_QUESTION)] = ""
    k: Annotated[int, Field(ge=1, le=MAX_PREVIEWED, examples=[10]), Whole] = 10


class RulesPage(Parameters):
    """Which rules to return: those after an id whose question or target contains a text, at most `limit`."""

    contains: Annotated[Text, Field(max_length=MAX_QUESTION, examples=["mug"])] = ""
    after: Annotated[int, Field(ge=0, le=LAST, examples=[0]), Whole] = 0
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED, examples=[200]), Whole] = 200


class ChangesPage(Parameters):
    """Which changes to return: the latest, or those before the change number `before`, at most `limit`."""

    before: Annotated[int, Field(ge=1, le=LAST, examples=[100]), Whole] = LAST
    limit: Annotated[int, Field(ge=1, le=MAX_CHANGES, examples=[100]), Whole] = 100


class ImportOptions(Parameters):
    """How to import a table: `only` removes all other rules, `dry_run` tells what would change and changes nothing."""

    only: Annotated[Flag, Field(examples=["false"])] = False
    dry_run: Annotated[Flag, Field(examples=["true"])] = False
