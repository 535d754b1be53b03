"""A passage of a shop's policies, how well it fits a question, and the answer that a question gets."""

from __future__ import annotations

from dataclasses import dataclass

ANSWERED, UNSURE, NOT_STATED = "answered", "unsure", "not_stated"


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, list or table row of a policy file.

    `id` is the file with the anchor of the heading and, from the second passage on, its number: "returns.md#refunds-2".
    `topic` is the file's name without its language: versions of one file in several languages share it.
    """

    id: str
    file: str
    topic: str
    heading: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class PassageHit:
    """A passage found for a question: its score orders the hits, and `probability` is that it answers the question."""

    passage: Passage
    score: float
    probability: float


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What the policies say to a question: `status` is ANSWERED, UNSURE or NOT_STATED.

    The first hit answers an answered question. Those of an unsure one may be shown as "this may help", never as an
    answer. A question that is not stated has no hits.
    """

    status: str
    hits: tuple[PassageHit, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """A policy file that is not read, and why: "too_large", "not_text", "unreadable", "outside" or "too_many"."""

    file: str
    reason: str
