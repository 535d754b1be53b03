"""Fit the model that answers from policies on the examples, and measure it on shops and questions left out."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from catalog.text.glossary import ENGLISH
from indexer.numeric import unit
from indexer.types import Floats, Ids, Mask
from search.assistant.policies.answer_model import (
    NO_TOPIC,
    AnswerModel,
    PassageEvidence,
    answer_row,
    gather_evidence,
    pair_rows,
    pair_scores,
)
from search.assistant.policies.encoding import (
    Centres,
    EncodedPassages,
    EncodedQuestions,
    encode_passages,
    encode_questions,
    plain,
)
from search.assistant.policies.examples import PolicyExamples
from search.assistant.policies.logistic import Logistic, fit_logistic
from search.language.detection import CHINESE
from search.text_heads.language_means import LanguageMeans
from search.text_heads.linear_head import LinearHead, fit_head
from search.text_heads.text_vectors import TextVectors

QUESTION_FOLDS, SHOP_FOLDS = 4, 3
SAMPLED = 3  # of the questions that a shop does not answer, one of so many is an example
ANSWERABLE = 0.6  # share of customers' questions that the policies answer; examples are weighted to it
WRONG_SHARE = 0.05  # of the answers given, at most
LOST_SHARE = 0.1  # of the questions whose right passage is first: so many may be taken for not stated


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A question to a shop, neither of which the topics were fitted on; masks (passages,) of right and near ones."""

    shop: str
    language: str
    evidence: PassageEvidence
    right: Mask
    near: Mask

    @property
    def is_answerable(self) -> bool:
        """Return whether a passage answers."""
        return bool(self.right.any())

    @property
    def counts(self) -> bool:
        """Return whether it is clear what a right answer is."""
        return self.is_answerable or not self.near.any()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model says to questions left out, (n,) each: probability, and what was so."""

    languages: tuple[str, ...]
    probabilities: Floats
    is_right: Mask  # the first passage answers
    in_three: Mask
    answerable: Mask

    @property
    def shares(self) -> Floats:
        """Return the weights of the questions, with which ANSWERABLE of them are."""
        return _shares(self.answerable)


def fit_answer_model(examples: PolicyExamples, vectors: TextVectors) -> tuple[AnswerModel, Judged]:
    """Return the model of all examples, and what models of a part of them say to shops and questions left out."""
    encoded = _Encoded(examples, vectors)
    left_out = list(encoded.left_out())
    judged = _cross_judged(left_out)
    pairs, answers = _fit_regressions(left_out)
    everything = np.ones(len(examples.questions), bool), np.ones(len(examples.passages), bool)
    about = {"examples": examples.digest, "vectors": vectors.fingerprint}
    topics = replace(encoded.topic_head(*everything), about=about)
    answered = _answer_cut(judged)
    right = judged.probabilities[judged.is_right]
    unsure = min(float(np.quantile(right, LOST_SHARE)), answered)
    return AnswerModel(
        topics, _language_head(examples, vectors), encoded.centres, pairs, answers, answered, unsure
    ), judged


class _Encoded:
    """The examples with their vectors."""

    def __init__(self, examples: PolicyExamples, vectors: TextVectors) -> None:
        self.examples = examples
        self.centres = _centres(examples, vectors)
        texts, languages = zip(*((q.text, q.language) for q in examples.questions), strict=True)
        self.questions: EncodedQuestions = encode_questions(texts, languages, vectors, self.centres)
        self.passages: EncodedPassages = encode_passages([p.passage for p in examples.passages], vectors, self.centres)
        self.shops = np.array([p.shop for p in examples.passages])
        self.topics = np.array([q.topic for q in examples.questions])
        self.folds = np.array([zlib.crc32(text.encode()) % QUESTION_FOLDS for text in texts])

    @cached_property
    def shop_names(self) -> list[str]:
        """Return the shops in the order of the file."""
        return list(dict.fromkeys(self.shops.tolist()))

    def topic_head(self, questions: Mask, passages: Mask) -> LinearHead:
        """Return a classifier of topics, fitted on some questions and passages."""
        labels = [topic or NO_TOPIC for topic in self.topics[questions].tolist()]
        rows, shares = [self.questions.multilingual[questions]], [1.0] * len(labels)
        known = set(labels)
        for piece, owner in enumerate(self.passages.owners.tolist()):
            topics = sorted(self.examples.passages[owner].topics & known) if passages[owner] else []
            for topic in topics:
                rows.append(self.passages.multilingual[piece : piece + 1])
                labels.append(topic)
                shares.append(1 / len(topics))
        return fit_head(np.concatenate(rows), labels, weights=np.array(shares, np.float32))

    def left_out(self) -> Iterator[LeftOut]:
        """Yield each question to each shop, with evidence of topics fitted without both."""
        for fold in range(QUESTION_FOLDS):
            for part in range(SHOP_FOLDS):
                names = self.shop_names[part::SHOP_FOLDS]
                head = self.topic_head(self.folds != fold, ~np.isin(self.shops, names))
                for name in names:
                    yield from self._of_shop(head, name, np.flatnonzero(self.folds == fold))

    def _of_shop(self, head: LinearHead, shop: str, places: Ids) -> Iterator[LeftOut]:
        own = np.flatnonzero(self.shops == shop).tolist()
        passages = self.passages.part(own)
        topics = [self.examples.passages[place].topics for place in own]
        for place in places.tolist():
            question = self.examples.questions[place]
            right = np.array([question.topic in of_passage for of_passage in topics])
            if not right.any() and zlib.crc32(f"{shop} {question.text}".encode()) % SAMPLED:
                continue
            near = [any((question.topic, topic) in self.examples.near for topic in found) for found in topics]
            evidence = gather_evidence(head, self.questions, place, passages)
            yield LeftOut(shop, question.language, evidence, right, np.array(near) & ~right)


def _centres(examples: PolicyExamples, vectors: TextVectors) -> Centres:
    questions = [(plain(question.text), question.language) for question in examples.questions]
    passages = [(example.passage.text, example.passage.language) for example in examples.passages]
    means, english = [], []
    for texts in (questions, passages):
        rows = vectors.multilingual([text for text, _ in texts])
        means.append(LanguageMeans.of(rows, [language for _, language in texts]))
        own = vectors.english([text for text, language in texts if language == ENGLISH])
        english.append(unit(own).mean(axis=0))
    return Centres(means[0], means[1], np.stack(english).astype(np.float32))


def _language_head(examples: PolicyExamples, vectors: TextVectors) -> LinearHead:
    """Return a classifier of languages, each as probable as any other."""
    texts = [(plain(question.text), question.language) for question in examples.questions]
    texts += [(example.passage.text, example.passage.language) for example in examples.passages]
    labels = [language for _, language in texts]
    shares = np.array([1 / labels.count(label) for label in labels], np.float32)
    return fit_head(vectors.multilingual([text for text, _ in texts]), labels, weights=shares)


def _fit_regressions(left_out: Sequence[LeftOut]) -> tuple[Logistic, Logistic]:
    """Return the regressions of pairs and of answers. A near passage is an example of neither."""
    clear = [example for example in left_out if example.counts]
    rows = np.concatenate([pair_rows(e.evidence.rows)[~e.near] for e in clear])
    pairs = fit_logistic(rows, np.concatenate([e.right[~e.near] for e in clear]).astype(np.float32))
    answers, is_right = [], []
    for example in clear:
        scores = pair_scores(pairs, example.evidence.rows)
        answers.append(answer_row(scores, example.evidence))
        is_right.append(bool(example.right[scores.argmax()]))
    answerable = np.array([example.is_answerable for example in clear])
    return pairs, fit_logistic(np.stack(answers), np.array(is_right, np.float32), _shares(answerable))


def _cross_judged(left_out: Sequence[LeftOut]) -> Judged:
    """Return what regressions say to the shops that they were not fitted on."""
    shops = list(dict.fromkeys(example.shop for example in left_out))
    found: list[tuple[str, float, bool, bool, bool]] = []
    for part in range(SHOP_FOLDS):
        names = set(shops[part::SHOP_FOLDS])
        pairs, answers = _fit_regressions([example for example in left_out if example.shop not in names])
        for example in left_out:
            if example.shop in names and example.counts:
                scores = pair_scores(pairs, example.evidence.rows)
                right = example.right[np.argsort(-scores, kind="stable")]
                probability = float(answers.probabilities(answer_row(scores, example.evidence)[None])[0])
                first, three = bool(right[0]), bool(right[:3].any())
                found.append((example.language, probability, first, three, example.is_answerable))
    languages, probabilities, first_right, in_three, answerable = zip(*found, strict=True)
    masks = (np.array(mask) for mask in (first_right, in_three, answerable))
    return Judged(languages, np.array(probabilities, np.float32), *masks)


def _answer_cut(judged: Judged) -> float:
    """Return the least probability from which on at most WRONG_SHARE of the answers in each group are wrong.

    The groups are English, Chinese, and the other languages together.
    """
    groups = np.array([name if name in (ENGLISH, CHINESE) else "" for name in judged.languages])
    return max(_cut_of(judged, groups == name) for name in np.unique(groups))


def _cut_of(judged: Judged, chosen: Mask) -> float:
    judged = Judged(
        tuple(itertools.compress(judged.languages, chosen)),
        judged.probabilities[chosen],
        judged.is_right[chosen],
        judged.in_three[chosen],
        judged.answerable[chosen],
    )
    order = np.argsort(-judged.probabilities, kind="stable")
    shares = judged.shares[order]
    wrong = np.cumsum(shares * ~judged.is_right[order]) / np.cumsum(shares)
    good = np.flatnonzero(wrong <= WRONG_SHARE)
    return float(judged.probabilities[order][good[-1]]) if len(good) else 1.0


def _shares(answerable: Mask) -> Floats:
    count = int(answerable.sum())
    return np.where(answerable, ANSWERABLE / max(1, count), (1 - ANSWERABLE) / max(1, len(answerable) - count)).astype(
        np.float32
    )
