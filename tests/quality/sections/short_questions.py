"""Short questions and shoppers' own words: is the right kind of thing first, in the right colour?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.product import Product
from search.engine import SearchEngine
from search.evaluation.catalogue_grader import CatalogueGrader, KindQuestion
from search.evaluation.kind_questions import MEASURES, GradedAnswer, grade_questions, kind_figures, worst_answers
from tests.quality.question_sets.colour_kind import (
    CHINESE,
    ENGLISH,
    LANGUAGES,
    REPORT,
    fashion_questions,
    frequent_fashion_questions,
    sample_questions,
)
from tests.quality.question_sets.own_words import content_words, own_words, shop_words
from tests.quality.report.failures import hits_shown
from tests.quality.report.records import Failure, Gallery, Headline, Outcome, Section, Share, Shown, Table
from tests.quality.sample_shop import SampleShop

NAMES = {ENGLISH: "English", CHINESE: "Chinese"}
COLUMNS = {
    "kind_at_1": "kind first",
    "kind_in_3": "kind in 3",
    "kind_recall_at_10": "kind recall@10",
    "pair_at_1": "both first",
    "pairs_in_10": "both in 10",
    "ndcg_at_10": "nDCG@10",
}
SHOWN = 8

Floors = Mapping[str, Mapping[str, float]]  # by language and measure
PAIR_FLOORS = {"kind_at_1": 0.97, "kind_recall_at_10": 0.95, "pair_at_1": 0.99}
SAMPLE_FLOORS: Floors = {ENGLISH: PAIR_FLOORS, CHINESE: PAIR_FLOORS}
FASHION_FLOORS: Floors = {ENGLISH: {"kind_at_1": 0.97, "pairs_in_10": 0.9}, CHINESE: {}}
OWN_WORDS_FLOORS: Floors = {ENGLISH: {"kind_at_1": 0.5, "kind_in_3": 0.75}, CHINESE: {}}
NO_FLOORS: Floors = {ENGLISH: {}, CHINESE: {}}
HEADLINES = ("kind_at_1",)  # shown without a floor too


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions by language, how they came about, and the floors of their figures."""

    key: str
    title: str
    how: str
    questions: Mapping[str, Sequence[KindQuestion]]
    floors: Floors = field(default_factory=lambda: NO_FLOORS)
    note: str = ""


def sample_short_questions(shop: SampleShop) -> Outcome:
    """Colour and kind, in both languages, of the sample shop."""
    products = list(shop.products.values())
    how = (
        "A colour and a kind of thing, also where the shop has no such pair. Kind recall is the share of the kind's "
        "ten products among the first ten hits; both first counts only where the shop has the pair; nDCG counts 2 for "
        "the kind and 1 for the colour."
    )
    questions = {language: sample_questions(products, language, REPORT) for language in LANGUAGES}
    return graded_outcome(
        shop.engine, QuestionSet("short_questions", "Short questions: colour and kind", how, questions, SAMPLE_FLOORS)
    )


def sample_own_words(shop: SampleShop) -> Outcome:
    """Own words, of the sample shop."""
    questions = {language: own_words("sample", language, REPORT) for language in LANGUAGES}
    return graded_outcome(
        shop.engine, QuestionSet("own_words", "Shoppers' own words", OWN_WORDS_HOW, questions, OWN_WORDS_FLOORS)
    )


OWN_WORDS_HOW = (
    "Questions whose words stand in no title, category or attribute of the shop. Several kinds may be right. They were "
    "written before any was searched for, and other ones serve to tune."
)


def fashion_outcomes(engine: SearchEngine, products: Sequence[Product]) -> tuple[Outcome, ...]:
    """Colour and article type, and own words, of a shop of the fashion feed."""
    how = "A colour and an article type, singular or as the feed writes it, some with a gender where the shop has it."
    gendered = any(product.attributes.get("gender") for product in products)
    questions = {language: fashion_questions(products, language, REPORT) for language in LANGUAGES}
    if not gendered:
        questions = {language: list(map(_without_gender, asked)) for language, asked in questions.items()}
    pairs = QuestionSet(
        "fashion_short_questions", "Fashion: short questions, colour and article type", how, questions, FASHION_FLOORS
    )
    frequent = QuestionSet(
        "fashion_frequent_questions",
        "Fashion: colours and types that it has most",
        "Colour and article type of random products, so that frequent pairs are asked for most.",
        {ENGLISH: frequent_fashion_questions(products, REPORT)},
        FASHION_FLOORS,
    )
    own = QuestionSet(
        "fashion_own_words",
        "Fashion: shoppers' own words",
        OWN_WORDS_HOW,
        {ENGLISH: own_words("fashion", ENGLISH, REPORT)},
        note=_words_of_the_shop(own_words("fashion", ENGLISH, REPORT), products),
    )
    return tuple(graded_outcome(engine, asked) for asked in (pairs, frequent, own))


def graded_outcome(engine: SearchEngine, asked: QuestionSet) -> Outcome:
    """Ask all, grade the answers, and show each language's figures and worst failures."""
    grader = CatalogueGrader.of(engine.home)
    figures: dict[str, dict[str, Any]] = {}
    galleries: list[Gallery] = []
    headlines: list[Headline] = []
    for language, questions in asked.questions.items():
        answers, _ = grade_questions(engine, grader, questions)
        figures[language] = kind_figures(answers)
        failures = tuple(_failure(answer, grader) for answer in worst_answers(answers, SHOWN))
        galleries.append(Gallery(f"{NAMES[language]}: what went wrong most", failures))
        floors = asked.floors[language]
        headlines += [
            Headline(
                f"{asked.title}, {NAMES[language]}, {COLUMNS[name]}",
                Share.of(figures[language], name),
                figures[language][f"{name}_queries"],
                floors.get(name),
            )
            for name in MEASURES
            if name in floors or name in HEADLINES
        ]
    rows = tuple(
        (NAMES[language], f"{found['queries']:,}", *(Share.of(found, name) for name in COLUMNS))
        for language, found in figures.items()
    )
    table = Table(("questions", "n", *COLUMNS.values()), rows)
    section = Section(asked.title, asked.how, (table,), galleries=tuple(galleries), note=asked.note)
    return Outcome(asked.key, figures, section, tuple(headlines))


def _without_gender(question: KindQuestion) -> KindQuestion:
    attributes = {name: value for name, value in question.attributes.items() if name != "gender"}
    return KindQuestion(question.text, question.kinds, attributes, question.language)


def _words_of_the_shop(questions: Sequence[KindQuestion], products: Sequence[Product]) -> str:
    """Own words that are the shop's after all, as another feed of its kind may have them."""
    words = shop_words(products)
    known = [question.text for question in questions if words.intersection(content_words(question.text))]
    return f"{len(known)} questions have a word of the shop: {', '.join(known)}." if known else ""


def _failure(answer: GradedAnswer, grader: CatalogueGrader) -> Failure:
    question = answer.question
    wanted = ", ".join([" or ".join(question.kinds), *question.attributes.values()])
    hits = answer.page.hits if answer.page else ()
    return Failure(
        Shown("", question.text),
        (Shown("", wanted, f"{answer.ranking.pairs} in the shop" if question.attributes else ""),),
        hits_shown(hits, grader.of_kinds(question.kinds)),
    )
