"""The models of intents that are compared: ours, heads on one tower alone, and TF-IDF with k-NN or regression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from catalog.errors import MissingExtra
from catalog.extras import import_extra
from catalog.text.glossary import ENGLISH
from indexer.types import Floats
from search.assistant.evaluation.intent_figures import IntentShares, figures
from search.assistant.intents.classifier import SHIPPED_HEADS
from search.assistant.intents.examples import IntentExample
from search.assistant.intents.heads import PENALTY, IntentHeads, fit_intents, normalised
from search.text_heads.language_means import LanguageMeans
from search.text_heads.linear_head import fit_head
from search.text_heads.text_vectors import TextVectors

NEIGHBOURS = 5
OURS = "both towers"
NOT_MEASURED = "not_measured"
Texts = Sequence[IntentExample]


def evaluate_intents(
    questions: Texts,
    examples: Texts,
    vectors: TextVectors,
    heads: IntentHeads | None = None,
    *,
    compared: bool = True,
) -> dict[str, Any]:
    """Return the figures of our classifier on questions, and those of the others under `models`.

    `heads` are fitted on `examples`; without them they are fitted now. `compared` is whether the simpler models are
    fitted too. A model whose packages are missing has the reason under NOT_MEASURED.
    """
    heads = heads or fit_intents(examples, vectors, IntentHeads.load(SHIPPED_HEADS).means)
    own = figures(_ours(heads, questions, vectors), questions)
    models: dict[str, Any] = {OURS: own}
    if compared:
        for name, predict in MODELS.items():
            try:
                models[name] = figures(predict(examples, questions, vectors), questions)
            except MissingExtra as error:
                models[name] = {NOT_MEASURED: str(error)}
    return own | {"examples": len(examples), "models": models}


def _ours(heads: IntentHeads, questions: Texts, vectors: TextVectors) -> IntentShares:
    languages = [question.language for question in questions]
    shares = heads.probabilities([question.text for question in questions], languages, vectors)
    return IntentShares(heads.labels, shares, np.array([heads.threshold(language) for language in languages]))


def _tower(rows_of: Callable[[TextVectors, list[str]], Floats]) -> Callable[[Texts, Texts, TextVectors], IntentShares]:
    def predict(examples: Texts, questions: Texts, vectors: TextVectors) -> IntentShares:
        rows = rows_of(vectors, [normalised(example.text) for example in examples])
        means = LanguageMeans.of(rows, [example.language for example in examples])
        head = fit_head(
            means.centre(rows, [example.language for example in examples]),
            [example.intent for example in examples],
            penalty=PENALTY,
        )
        new = rows_of(vectors, [normalised(question.text) for question in questions])
        return _uncut(head.labels, head.probabilities(means.centre(new, [q.language for q in questions])))

    return predict


def _tf_idf(with_neighbours: bool) -> Callable[[Texts, Texts, TextVectors], IntentShares]:
    def predict(examples: Texts, questions: Texts, vectors: TextVectors) -> IntentShares:
        def part(name: str) -> Any:
            return import_extra("recs", f"sklearn.{name}", "Comparing intents with TF-IDF")

        words = part("feature_extraction.text").TfidfVectorizer(sublinear_tf=True)
        model: Any = part("linear_model").LogisticRegression(C=10.0, max_iter=1000)
        if with_neighbours:
            count = min(NEIGHBOURS, len(examples))
            model = part("neighbors").KNeighborsClassifier(count, metric="cosine", weights="distance")
        rows = words.fit_transform([normalised(example.text) for example in examples])
        model.fit(rows, [example.intent for example in examples])
        shares = model.predict_proba(words.transform([normalised(question.text) for question in questions]))
        return _uncut(tuple(map(str, model.classes_)), np.nan_to_num(np.asarray(shares, np.float32)))

    return predict


def _uncut(labels: tuple[str, ...], shares: Floats) -> IntentShares:
    return IntentShares(labels, shares, np.zeros(len(shares), np.float32))


MODELS: dict[str, Callable[[Texts, Texts, TextVectors], IntentShares]] = {
    "TF-IDF + k-NN": _tf_idf(with_neighbours=True),
    "TF-IDF + regression": _tf_idf(with_neighbours=False),
    "MiniLM + regression": _tower(lambda vectors, texts: vectors.english(texts)),
    "E5 + regression": _tower(lambda vectors, texts: vectors.multilingual(texts)),
}


def only_language(examples: Texts, language: str = ENGLISH) -> tuple[IntentExample, ...]:
    """Return the examples of one language."""
    return tuple(example for example in examples if example.language == language)
