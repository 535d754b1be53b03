"""Policies of imaginary shops and questions to them, on which the shipped model is fitted; all written by ourselves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from catalog.text.labelled_csv import read_labelled_csv
from search.assistant.policies.passage import Passage

POLICIES = Path(__file__).with_name("example_policies.csv")
QUESTIONS = Path(__file__).with_name("example_questions.csv")
NEAR_TOPICS = Path(__file__).with_name("near_topics.csv")


@dataclass(frozen=True, slots=True)
class ExamplePassage:
    """A passage of an imaginary shop, and the topics of questions that it answers."""

    shop: str
    passage: Passage
    topics: frozenset[str]


@dataclass(frozen=True, slots=True)
class ExampleQuestion:
    """A question and its topic; `topic` is "" where no shop's policies are about it."""

    text: str
    language: str
    topic: str


@dataclass(frozen=True, slots=True)
class PolicyExamples:
    """All examples. `near` names pairs of topics: a passage about the second may be of use to a question on the first.

    Such a pair is neither a right answer nor a wrong one.
    """

    passages: tuple[ExamplePassage, ...]
    questions: tuple[ExampleQuestion, ...]
    near: frozenset[tuple[str, str]]

    @property
    def digest(self) -> str:
        """Return what identifies the examples."""
        lines = [f"{p.shop}\t{p.passage.language}\t{p.passage.text}\t{sorted(p.topics)}" for p in self.passages]
        lines += [f"{q.topic}\t{q.language}\t{q.text}" for q in self.questions]
        lines += sorted(f"{first}\t{second}" for first, second in self.near)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def shipped_policy_examples() -> PolicyExamples:
    """Read the examples that are shipped. Raises BadFeed."""
    passages = []
    for row in read_labelled_csv(POLICIES, ("shop", "language", "heading", "text", "topics")):
        values = row.values
        passage = Passage(
            f"{values['shop']}-{row.line}", values["shop"], values["shop"], values["heading"], values["text"],
            values["language"],
        )  # fmt: skip
        passages.append(ExamplePassage(values["shop"], passage, frozenset(values["topics"].split())))
    questions = tuple(
        ExampleQuestion(row.values["question"], row.values["language"], row.values["topic"])
        for row in read_labelled_csv(QUESTIONS, ("topic", "language", "question"))
    )
    near = {(row.values["topic"], row.values["near"]) for row in read_labelled_csv(NEAR_TOPICS, ("topic", "near"))}
    return PolicyExamples(tuple(passages), questions, frozenset(near))
