"""The model that says which passage answers a question, and with which probability any does.

A first regression scores each passage from likeness in meaning, topic and words. A second one gives the probability
that the best passage answers, also from how far the next passage is behind. Both are fitted by `fitting.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.text.glossary import ENGLISH
from indexer.numeric import softmax, unit
from indexer.types import Floats, Ids
from search.assistant.policies.encoding import Centres, EncodedPassages, EncodedQuestions, word_shares
from search.assistant.policies.logistic import Logistic
from search.text_heads.language_means import LanguageMeans
from search.text_heads.linear_head import LinearHead, load_heads, save_heads

SHIPPED_MODEL = Path(__file__).with_name("answers.safetensors")
NO_TOPIC = "_none"  # label of questions that no policy is about
MIN_TOPIC = 1e-3  # probability
# Columns of a pair of question and passage.
LIKENESS, ENGLISH_LIKENESS, IS_ENGLISH, TOPIC, LOG_TOPIC, TOPIC_LIKENESS, WORDS, SAME_LANGUAGE = range(8)
FEW_PASSAGES = 3  # below which the spread of the likeness says nothing
_TOPICS, _LANGUAGES = "topics", "languages"
_PAIRS, _ANSWERS, _CUTS, _ENGLISH = "pairs", "answers", "cuts", "english"
_QUESTIONS, _PASSAGES = "questions.", "passages."


@dataclass(frozen=True, slots=True)
class PassageEvidence:
    """What is known of one question and each passage: rows (passages, 8), and the share of "no policy at all"."""

    rows: Floats
    no_topic: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages by how well they fit: their places, best first, with scores, and the probability of the first."""

    places: Ids
    scores: Floats
    probability: float


@dataclass(frozen=True, slots=True)
class AnswerModel:
    """Ranks passages for a question. `answered` and `unsure` are the least probabilities of these two answers."""

    topics: LinearHead
    languages: LinearHead  # on the vectors of `multilingual`
    centres: Centres
    pairs: Logistic
    answers: Logistic
    answered: float = 1.0
    unsure: float = 0.5

    def rank(self, questions: EncodedQuestions, place: int, passages: EncodedPassages) -> Ranking:
        """Return all passages for one of the questions. There must be at least one passage."""
        evidence = gather_evidence(self.topics, questions, place, passages, self.pairs)
        scores = pair_scores(self.pairs, evidence.rows)
        row = answer_row(scores, evidence)
        return Ranking(np.argsort(-scores, kind="stable"), scores, float(self.answers.probabilities(row[None])[0]))

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        arrays = {_PAIRS: self.pairs.array(), _ANSWERS: self.answers.array(), _ENGLISH: self.centres.english}
        arrays[_CUTS] = np.array([self.answered, self.unsure], np.float32)
        for prefix, means in ((_QUESTIONS, self.centres.questions), (_PASSAGES, self.centres.passages)):
            arrays |= {prefix + language: mean for language, mean in means.means.items()}
        save_heads(path, {_TOPICS: self.topics, _LANGUAGES: self.languages}, arrays)

    @classmethod
    def load(cls, path: Path = SHIPPED_MODEL) -> AnswerModel:
        """Read what `save` wrote. Raises StoreError."""
        file = load_heads(path, (_TOPICS, _LANGUAGES), (_PAIRS, _ANSWERS, _ENGLISH, _CUTS, _QUESTIONS, _PASSAGES))
        questions, passages = (
            LanguageMeans({name.removeprefix(prefix): a for name, a in file.arrays.items() if name.startswith(prefix)})
            for prefix in (_QUESTIONS, _PASSAGES)
        )
        answered, unsure = file.arrays[_CUTS].tolist()
        return cls(
            file.heads[_TOPICS],
            file.heads[_LANGUAGES],
            Centres(questions, passages, file.arrays[_ENGLISH]),
            Logistic.of_array(file.arrays[_PAIRS]),
            Logistic.of_array(file.arrays[_ANSWERS]),
            answered,
            unsure,
        )


def gather_evidence(
    topics: LinearHead,
    questions: EncodedQuestions,
    place: int,
    passages: EncodedPassages,
    pairs: Logistic | None = None,
) -> PassageEvidence:
    """Return the evidence of one question and each passage; of a passage in pieces, that of its best piece.

    The best piece is the one with the highest score of `pairs`, or, without one, the one most alike.
    """
    question = questions.multilingual[place]
    logits, own_logits = topics.logits(question[None]), topics.logits(passages.multilingual)
    own = [column for column, label in enumerate(topics.labels) if label != NO_TOPIC]
    shares = softmax(logits)[0]
    passage_shares = softmax(own_logits)
    relative = (passage_shares / passage_shares.max(axis=1, keepdims=True))[:, own]
    topic = np.minimum(1.0, relative @ shares[own])
    english = [language == ENGLISH == questions.languages[place] for language in passages.languages]
    is_english = np.array(english, np.float32)[passages.owners]
    same = np.array([language == questions.languages[place] for language in passages.languages], np.float32)
    words = word_shares(questions.words[place], passages.words) * same
    columns = (
        passages.multilingual @ question,
        passages.english @ questions.english[place] * is_english,
        is_english,
        topic,
        np.log(topic + MIN_TOPIC),
        _centred(own_logits[:, own]) @ _centred(logits[:, own])[0],
        words[passages.owners],
        same[passages.owners],
    )
    rows = np.stack(columns, axis=1).astype(np.float32)
    order = pair_scores(pairs, rows) if pairs else rows[:, LIKENESS]
    best = _best_of_each(order, passages.owners)
    return PassageEvidence(rows[best], float(1 - shares[own].sum()))


def pair_rows(rows: Floats) -> Floats:
    """Return the features that score passages, float32 (n, 11), from the evidence (n, 8)."""
    english = rows[:, [IS_ENGLISH]]
    return np.concatenate([rows, rows[:, [LIKENESS, LOG_TOPIC, TOPIC_LIKENESS]] * english], axis=1)


def pair_scores(pairs: Logistic, rows: Floats) -> Floats:
    """Return the score of each passage (n,), from the evidence."""
    return pairs.logits(pair_rows(rows))


def answer_row(scores: Floats, evidence: PassageEvidence) -> Floats:
    """Return the features of the probability that the best passage answers; NaN where too few passages tell."""
    order = np.argsort(-scores, kind="stable")
    best, rows = order[0], evidence.rows
    likeness = rows[:, LIKENESS]
    others = np.delete(likeness, best)
    ahead = scores[best] - scores[order[1]] if len(order) > 1 else np.nan
    nearer = likeness[best] - others.max() if len(others) else np.nan
    many = len(scores) >= FEW_PASSAGES
    own = rows[best]
    columns = [LIKENESS, ENGLISH_LIKENESS, IS_ENGLISH, TOPIC, LOG_TOPIC, TOPIC_LIKENESS, WORDS, SAME_LANGUAGE]
    numbers = [
        scores[best],
        ahead,
        nearer,
        *own[columns],
        evidence.no_topic,
        likeness.mean() if many else np.nan,
        likeness.std() if many else np.nan,
        own[IS_ENGLISH] * scores[best],
        own[IS_ENGLISH] * own[LIKENESS],
    ]
    return np.array(numbers, np.float32)


def _centred(logits: Floats) -> Floats:
    return unit(logits - logits.mean(axis=1, keepdims=True))


def _best_of_each(order: Floats, owners: Ids) -> Ids:
    """Return the row of the highest number of each owner, by owner."""
    ranked = np.lexsort((-order, owners))
    _, first = np.unique(owners[ranked], return_index=True)
    return np.asarray(ranked[first])
