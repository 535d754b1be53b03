"""Figures of answers from policies: the right passage in three, who answers what, and how many answers are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import BadFeed
from catalog.text.labelled_csv import read_labelled_csv
from indexer.types import Floats, Mask
from search.assistant.policies.answer_model import AnswerModel
from search.assistant.policies.encoding import encode_passages, encode_questions
from search.assistant.policies.fitting import Judged
from search.assistant.policies.passage import Passage
from search.evaluation.statistics import DIGITS, auroc
from search.language.detection import language_of
from search.text_heads.text_vectors import TextVectors

ALL = "all"


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """A question, its language and the passages that answer it; none where nothing does."""

    text: str
    language: str
    passages: frozenset[str]


def read_policy_passages(path: Path) -> tuple[Passage, ...]:
    """Read a CSV file with the columns passage and text, and heading and lang if it has them. Raises BadFeed."""
    passages = []
    for row in read_labelled_csv(path, ("passage", "text")):
        values = row.values
        language = values.get("lang") or values.get("language") or language_of(values["text"])
        name = values["passage"]
        passages.append(Passage(name, path.name, name, values.get("heading", ""), values["text"], language))
    if not passages:
        raise BadFeed(f"{path} has no passages.", "Give one a line: passage,text.")
    return tuple(passages)


def read_policy_questions(path: Path, passages: Sequence[Passage]) -> tuple[PolicyQuestion, ...]:
    """Read a CSV file with the columns question and passage, and lang if it has it. Raises BadFeed.

    Several passages of one question stand with a space or `|` between them.
    """
    known = {passage.id for passage in passages}
    questions = []
    for row in read_labelled_csv(path, ("question", "passage")):
        values = row.values
        names = frozenset(values["passage"].replace("|", " ").split())
        if missing := names - known:
            raise BadFeed(f"{path}, line {row.line}: there is no passage {min(missing)!r}.", "Correct the name.")
        language = values.get("lang") or values.get("language") or language_of(values["question"])
        questions.append(PolicyQuestion(values["question"], language, names))
    return tuple(questions)


def evaluate_policies(
    passages: Sequence[Passage], questions: Sequence[PolicyQuestion], vectors: TextVectors, model: AnswerModel
) -> dict[str, Any]:
    """Return the figures of questions to one shop's passages, of all and by language."""
    encoded = encode_passages(passages, vectors, model.centres)
    languages = [question.language for question in questions]
    encoded_questions = encode_questions([question.text for question in questions], languages, vectors, model.centres)
    found = []
    for place, question in enumerate(questions):
        ranking = model.rank(encoded_questions, place, encoded)
        right = [passages[number].id in question.passages for number in ranking.places.tolist()]
        found.append((ranking.probability, right[0], any(right[:3]), bool(question.passages)))
    probabilities, is_right, in_three, answerable = (np.array(column) for column in zip(*found, strict=True))
    judged = Judged(tuple(languages), probabilities.astype(np.float32), is_right, in_three, answerable)
    equal = np.full(len(questions), 1 / len(questions), np.float32)
    return _by_language(judged, equal, model.answered, model.unsure)


def judged_figures(judged: Judged, answered: float, unsure: float) -> dict[str, Any]:
    """Return the figures of shops and questions left out, weighted as customers' questions are."""
    return _by_language(judged, judged.shares, answered, unsure)


def _by_language(judged: Judged, shares: Floats, answered: float, unsure: float) -> dict[str, Any]:
    languages = np.array(judged.languages)
    masks: Mapping[str, Mask] = {ALL: np.ones(len(languages), bool)} | {
        language: languages == language for language in sorted(set(judged.languages))
    }
    return {name: _figures(judged, shares, mask, answered, unsure) for name, mask in masks.items()}


def _figures(judged: Judged, shares: Floats, mask: Mask, answered: float, unsure: float) -> dict[str, Any]:
    weights, probabilities = shares[mask], judged.probabilities[mask]
    is_right, answerable = judged.is_right[mask], judged.answerable[mask]
    is_answered = probabilities >= answered
    result: dict[str, Any] = {"questions": int(mask.sum()), "answerable": int(answerable.sum())}
    if answerable.any():
        result["right_in_three"] = round(float(judged.in_three[mask][answerable].mean()), DIGITS)
        result["right_first"] = round(float(is_right[answerable].mean()), DIGITS)
    if answerable.any() and not answerable.all():
        result["auroc_has_answer"] = round(auroc(probabilities[answerable], probabilities[~answerable]), DIGITS)
    result["answered"] = _share(weights, is_answered)
    result["answered_of_answerable"] = _share(weights[answerable], is_answered[answerable])
    result["wrong_of_answered"] = _share(weights[is_answered], ~is_right[is_answered])
    result["not_stated_of_unanswerable"] = _share(weights[~answerable], probabilities[~answerable] < unsure)
    result["not_stated_of_answerable"] = _share(weights[answerable], probabilities[answerable] < unsure)
    return result


def _share(weights: Floats, mask: Mask) -> float:
    whole = float(weights.sum())
    return round(float(weights[mask].sum()) / whole, DIGITS) if whole else 0.0
