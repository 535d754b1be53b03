"""Answer how large, heavy or roomy a product is, and whether it fits, holds or exceeds a measure that is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from search.assistant.products.answer import (
    ANSWERED,
    ATTRIBUTE,
    MEASURE_NO,
    MEASURE_OPEN,
    MEASURE_YES,
    STATED,
    TITLE,
    VALUE,
    ProductAnswer,
    ProductSource,
)
from search.assistant.products.features import has_parts
from search.assistant.products.reading.expressions import expression, has
from search.assistant.products.reading.measures import (
    AXES,
    LENGTH,
    VOLUME,
    WEIGHT,
    Interval,
    Measure,
    certainly_more,
    fits,
    measures_in,
)
from search.assistant.products.reading.question import FITS, HOLDS, LESS, MORE, ProductQuestion
from search.assistant.products.reading.topics import ASKS, LANGUAGES, MEASURE, parts, topics
from search.assistant.products.statements import Statement

DIMENSIONS, CAPACITY, WEIGHT_TOPIC, LOAD = "dimensions", "capacity", "weight", "load"
_GERMAN_ENDS = {"height": "hohe", "width": "breite", "depth": "tiefe", "length": "lange", "weight": "gewicht"}
_LOAD = (LOAD, "power", "voltage")  # topics whose numbers are no size of the product
_OF_ANOTHER = re.compile(rf"{expression('of another thing')} $")
_PACKED = frozenset({"package", "pieces"})  # what a package holds is what the product has
_NEAR = 22  # characters beside a measure in which a part of the product is named
_ACROSS = {"diameter": ("diameter", "width"), "length": ("length", "width"), "depth": ("depth", "length")}


@dataclass(frozen=True, slots=True)
class Stated:
    """A measure of the product and the statement that has it."""

    measure: Measure
    statement: Statement


def size_answer(question: ProductQuestion, statements: Sequence[Statement]) -> ProductAnswer | None:
    """Return the measure that a question asks for, compared with the one that it names; None where none is stated."""
    topic = _topic(question)
    if not topic:
        return None
    stated = list(_stated(question, topic, statements))
    if not stated:
        return None
    if question.measure is not None and question.relation:
        return _compared(question, topic, stated)
    if topic not in AXES:
        return _quoted(topic, stated[0])
    named = next((found for found in stated if found.measure.of_axis(topic) is not None), None)
    if named is None and topic in _ACROSS:
        named = next((found for found in stated if any(axis in _ACROSS[topic] for axis in found.measure.axes)), None)
    if named is not None:
        return _quoted(topic, named)
    sides = [found for found in stated if not any(found.measure.axes)]
    return _answer(MEASURE_OPEN, topic, sides[0], {"relation": topic}) if sides else None


def _topic(question: ProductQuestion) -> str:
    """Return the measure topic of a question: what it names, else what the unit of its measure is about."""
    named = [topic.name for topic, _ in question.topics if topic.form == MEASURE]
    if question.relation and question.measure is not None:
        own = {LENGTH: DIMENSIONS, VOLUME: CAPACITY, WEIGHT: WEIGHT_TOPIC}.get(question.measure.quantity, "")
        if own == WEIGHT_TOPIC and question.measure.ounces and CAPACITY in named:
            own = CAPACITY
        if own == WEIGHT_TOPIC and (
            question.relation == HOLDS or any(topic.name == LOAD for topic, _ in question.topics)
        ):
            own = LOAD
        if own != DIMENSIONS:
            return own
        return next((name for name in named if name in AXES), DIMENSIONS)
    return named[0] if named else ""


def _stated(question: ProductQuestion, topic: str, statements: Sequence[Statement]) -> Iterator[Stated]:
    finder = {CAPACITY: _volumes, WEIGHT_TOPIC: _weights, LOAD: _loads}.get(topic, _lengths)
    for statement in statements:
        packed = {part.name for part in question.parts} <= _PACKED
        if (packed and topic in (CAPACITY, WEIGHT_TOPIC, LOAD)) or has_parts(question, statement.plain):
            for measure in finder(statement, bool(question.parts)):
                yield Stated(measure, statement)


def _volumes(statement: Statement, of_part: bool) -> Iterator[Measure]:
    named = statement.kind == ATTRIBUTE and statement.label in topics()[CAPACITY].attributes
    if statement.kind == ATTRIBUTE and not named and not _labelled(statement, CAPACITY):
        return
    for measure in measures_in(statement.plain):
        volume = measure.as_volume() if named or statement.kind == TITLE else measure
        if volume.quantity == VOLUME and (of_part or not _near_part(statement.plain, measure)):
            yield volume


def _weights(statement: Statement, of_part: bool) -> Iterator[Measure]:
    if statement.kind == ATTRIBUTE:
        if statement.label not in topics()[WEIGHT_TOPIC].attributes and not _labelled(statement, WEIGHT_TOPIC):
            return
    elif statement.kind != TITLE and not has("weighs", statement.plain):
        return
    for measure in measures_in(statement.plain):
        if measure.quantity == WEIGHT and (of_part or not _near_part(statement.plain, measure)):
            yield measure


def _loads(statement: Statement, of_part: bool) -> Iterator[Measure]:
    load = topics()[LOAD]
    if any(True for _ in load.spoken_of(statement.plain, LANGUAGES)) or statement.label in load.attributes:
        yield from (measure for measure in measures_in(statement.plain) if measure.quantity == WEIGHT)


def _lengths(statement: Statement, of_part: bool) -> Iterator[Measure]:
    if statement.kind == ATTRIBUTE and not any(
        _labelled(statement, name) for name in (*AXES, DIMENSIONS, "size_offered")
    ):
        return
    axis = next((name for name in AXES if statement.label and _labelled(statement, name)), "")
    for measure in measures_in(statement.plain):
        if measure.quantity != LENGTH or _OF_ANOTHER.search(statement.plain[: measure.start]):
            continue
        if not of_part and _near_part(statement.plain, measure):
            continue
        if axis and len(measure.values) == 1 and not measure.axes[0]:
            measure = Measure(LENGTH, measure.values, (axis,), measure.text, measure.start, measure.end)
        yield measure


def _labelled(statement: Statement, topic: str) -> bool:
    """Return whether the name of an attribute is that of a measure, not of a measure of what it may carry."""
    other = any(True for name in _LOAD for _ in topics()[name].find(ASKS, statement.label, LANGUAGES))
    german = statement.label.endswith(_GERMAN_ENDS.get(topic, "\n"))
    return not other and (german or any(True for _ in topics()[topic].find(ASKS, statement.label, LANGUAGES)))


def _near_part(text: str, measure: Measure) -> bool:
    """Return whether a measure is that of a part: "cable 2 m", "with a 1.5 m cable"."""
    before = re.split(r"[,;.。，；]", text[max(0, measure.start - _NEAR) : measure.start])[-1]
    after = re.split(r"[,;.。，；]", text[measure.end : measure.end + _NEAR])[0]
    return any(True for part in parts().values() for side in (before, after) for _ in part.find(ASKS, side, LANGUAGES))


def _compared(question: ProductQuestion, topic: str, stated: Sequence[Stated]) -> ProductAnswer:
    """Return whether the product fits, holds or exceeds the measure; MEASURE_OPEN where that is not certain."""
    assert question.measure is not None
    wanted, relation = question.measure, question.relation
    if topic == CAPACITY:
        wanted = wanted.as_volume()
    axes = [*wanted.axes, topic]
    best = next((found for axis in axes for found in stated if found.measure.of_axis(axis) is not None), None)
    if best is None:
        best = max((*stated, *_joined(stated)), key=lambda found: len(found.measure.values))
    verdict: bool | None = None
    if not question.guest and not question.quote_only:
        inclusive = has("at least", question.plain) or has("at most", question.plain)
        if inclusive and relation in _OPPOSITES:  # at least 20 cm is not less than 20 cm
            verdict = _not(_VERDICTS[_OPPOSITES[relation]](topic, best.measure, wanted))
        else:
            verdict = _VERDICTS[relation](topic, best.measure, wanted)
    code = {True: MEASURE_YES, False: MEASURE_NO, None: MEASURE_OPEN}[verdict]
    return _answer(code, topic, best, {"asked": wanted.text, "relation": relation})


def _joined(stated: Sequence[Stated]) -> Iterator[Stated]:
    """Yield the sides that a shop states one by one, as a size: "Width 45 cm, depth 30 cm"."""
    sides: dict[str, Stated] = {}
    for found in stated:
        if len(found.measure.values) == 1 and found.measure.axes[0]:
            sides.setdefault(found.measure.axes[0], found)
    if len(sides) > 1:
        measures = [found.measure for found in sides.values()]
        text = " x ".join(measure.text for measure in measures)
        first = next(iter(sides.values()))
        values = tuple(measure.values[0] for measure in measures)
        joined = Measure(LENGTH, values, tuple(sides), text, first.measure.start, first.measure.end)
        yield Stated(joined, first.statement)


def _fit_verdict(topic: str, thing: Measure, space: Measure) -> bool | None:
    axis = space.axes[0] if len(space.axes) == 1 else ""
    if axis and (own := thing.of_axis(axis)) is not None:
        more = certainly_more(own, space.values[0])
        return None if more is None else not more
    if len(thing.values) == 1:  # its other sides are not known
        return None
    return fits(thing.values, space.values)


def _more_verdict(topic: str, thing: Measure, wanted: Measure) -> bool | None:
    own = thing.of_axis(topic)
    sides = (own,) if own is not None else thing.values
    verdicts = {certainly_more(side, wanted.values[0]) for side in sides}
    return verdicts.pop() if len(verdicts) == 1 else None


def _less_verdict(topic: str, thing: Measure, wanted: Measure) -> bool | None:
    own = thing.of_axis(topic)
    sides: Sequence[Interval] = (own,) if own is not None else thing.values
    verdicts = {certainly_more(wanted.values[0], side) for side in sides}
    return verdicts.pop() if len(verdicts) == 1 else None


def _hold_verdict(topic: str, thing: Measure, wanted: Measure) -> bool | None:
    return None if len(thing.values) > 1 else _not(certainly_more(wanted.values[0], thing.values[0]))


_VERDICTS: dict[str, Callable[[str, Measure, Measure], bool | None]] = {
    FITS: _fit_verdict,
    MORE: _more_verdict,
    LESS: _less_verdict,
    HOLDS: _hold_verdict,
}
_OPPOSITES = {MORE: LESS, LESS: MORE}


def _not(verdict: bool | None) -> bool | None:
    return None if verdict is None else not verdict


def _quoted(topic: str, stated: Stated) -> ProductAnswer:
    return _answer(VALUE if stated.statement.kind == ATTRIBUTE else STATED, topic, stated, {})


def _answer(code: str, topic: str, stated: Stated, facts: dict[str, str]) -> ProductAnswer:
    statement = stated.statement
    known = {"stated": stated.measure.text, **facts}
    if statement.kind == ATTRIBUTE:
        known |= {"field": statement.name, "value": statement.text}
    source = ProductSource(statement.kind, statement.name)
    return ProductAnswer(ANSWERED, code, topic, known, statement.text, statement.language, source)
