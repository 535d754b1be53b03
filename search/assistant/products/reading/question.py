"""Read a question about a product: what it is about, which part of the product, and which measure it names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from catalog.product import Product
from catalog.text.folding import normalise
from catalog.text.glossary import ENGLISH
from catalog.text.tokenizer import singularise
from search.assistant.products.reading.content import Item, content_items, names_of
from search.assistant.products.reading.expressions import alternatives, expression, has, words_of
from search.assistant.products.reading.measures import Measure, measures_in, plain
from search.assistant.products.reading.topics import (
    ASKS,
    CONTENT,
    FEATURE,
    MEASURE,
    OFFER,
    VALUE,
    VALUES,
    Span,
    Topic,
    parts,
    topics,
)

MAX_QUESTION = 500  # characters that are read
FITS, HOLDS, MORE, LESS = "fits", "holds", "more", "less"  # relations of a product to the measure of a question
_RANK = {FEATURE: 0, CONTENT: 0, MEASURE: 1, VALUE: 2, OFFER: 2}
WARRANTY = "warranty"
_OTHERS = [word for language in ("de", "fr", "es") for word in words_of("yes or no", language)]
_GUEST = re.compile(r"\b(?:does|do|will|would|can|could) (?:an?|my|the|our) [^?]*\d[^?]*\b(?:fit|go)\b")
_POLITE = r"(?:(?:and|also|so|hi|hello|please|und|et|y)[, ]+)?"
_YES_NO = re.compile(
    rf"(?:^|[,.;:!?]) *{_POLITE}{alternatives([*words_of('yes or no', 'en'), *_OTHERS])}"
    rf"|[吗嘛么]\W*$|{alternatives(words_of('yes or no', 'zh'))}"
)
_WORD = re.compile(r"[^\W\d_]+")
# "能不能" asks, it denies nothing.
_NO_DENIAL = re.compile(rf"{expression('no denial')}|([\u3400-\u9fff])[不没]\1|有没有")
_NO_NUMBER = re.compile(r"(?:vitamin[aes]* |维生素)[a-k]\d{1,2}(?![^\W_])|\b(?:au|le|du) four\b")  # French ovens
_NUMBER = re.compile(rf"\d|{alternatives(word for word in words_of('number word') if word != 'one')}")


@dataclass(frozen=True, slots=True)
class ProductQuestion:
    """A question as it was read; `topics` are sorted, the one that it is most about first, each with its place.

    `measure` is the measure that the question names, `relation` how the product is compared with it. `items` are
    the words of the question that its topics leave: what else it is about. `values` are words such as "red" that are a
    value of a topic; `named` says that the topics are named too, as by "colour". With `quote_only`, yes or no would
    say two things, as to "isn't it blue?": the answer only quotes. `numbered` ones name a number: "at 60 degrees?".
    """

    text: str
    plain: str
    language: str
    yes_no: bool
    topics: tuple[tuple[Topic, Span], ...]
    values: tuple[Item, ...]
    parts: tuple[Topic, ...]
    measure: Measure | None = None
    relation: str = ""
    guest: bool = False  # another thing is to go into the product
    items: tuple[Item, ...] = ()
    named: bool = True
    counts: bool = False  # it asks for a number
    quote_only: bool = False
    numbered: bool = False

    @property
    def decidable(self) -> bool:
        """Whether yes or no may answer the question."""
        return self.yes_no and not self.quote_only and not self.numbered

    @property
    def limits_feature(self) -> bool:
        """Whether its measure is a limit of a feature and no size of the product: "waterproof to more than 30 m?"."""
        forms = {topic.form for topic, _ in self.topics}
        return FEATURE in forms and MEASURE not in forms and self.relation in (MORE, LESS)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages whose words the question may have: its own and English."""
        return tuple(dict.fromkeys((self.language, ENGLISH)))


def read_question(text: str, language: str, product: Product) -> ProductQuestion:
    """Read a customer's question in a language about a product."""
    read = plain(" ".join(text.split())[:MAX_QUESTION])
    languages = tuple(dict.fromkeys((language, ENGLISH)))
    found = _topics(read, languages)
    kind = kind_words(product)
    part_names = tuple(part for part in parts().values() if _names_part(part, read, languages, kind))
    measures = measures_in(read)
    measure = _with_axis(measures[0], read) if len(measures) == 1 else None
    guest = bool(_GUEST.search(read)) and not has("space", read)
    named = [span for topic, _ in found for span in topic.find(ASKS, read, languages)]
    valued = [span for topic, _ in found for span in topic.find(VALUES, read, languages)]
    in_parts = [span for part in part_names for span in part.find(ASKS, read, languages)]
    items = content_items(read, language, [*named, *valued, *in_parts], kind)
    values = tuple(dict.fromkeys(names_of(read[start:end], language) for start, end in valued))
    return ProductQuestion(
        text,
        read,
        language,
        _YES_NO.search(read) is not None or not has("question word", read),
        found,
        values,
        part_names,
        measure,
        _relation(read, measure),
        guest,
        items,
        bool(named),
        has("count", read),
        _is_denied(read),
        _NUMBER.search(_NO_NUMBER.sub(" ", read)) is not None,
    )


def kind_words(product: Product) -> frozenset[str]:
    """Return the words that only name the product in a question: those of its category, in the singular."""
    texts = [product.category, *(product.attributes.get(f"category_{code}", "") for code in ("de", "fr", "es"))]
    words = {singularise(word) for text in texts for word in _WORD.findall(normalise(text))}
    head = _WORD.findall(normalise(re.split(r",| in | with | for ", product.title)[0]))[-1:]
    return frozenset(words | {singularise(word) for word in head})


def _is_denied(text: str) -> bool:
    """Return whether a question is asked with a negation, whose "yes" differs between languages and people."""
    return has("asked denied", _NO_DENIAL.sub(" ", text))


def _with_axis(measure: Measure, text: str) -> Measure:
    """Return a measure as one of height where the product is to go under something."""
    if measure.axes == ("",) and has("under", text):
        return replace(measure, axes=("height",))
    return measure


def _topics(text: str, languages: tuple[str, ...]) -> tuple[tuple[Topic, Span], ...]:
    found: list[tuple[Topic, Span]] = []
    for topic in topics().values():
        spans = [span for role in (ASKS, VALUES) for span in topic.find(role, text, languages)]
        if spans:
            found.append((topic, max(spans, key=lambda span: span[1] - span[0])))
    if any(topic.name == WARRANTY for topic, _ in found):  # how long that is, is no length of the product
        found = [(topic, span) for topic, span in found if topic.form != MEASURE]
    longest = [
        (topic, span)
        for topic, span in found
        if not any(
            other is not topic and at[0] <= span[0] and span[1] <= at[1] and at[1] - at[0] > span[1] - span[0]
            for other, at in found
        )
    ]
    return tuple(sorted(longest, key=lambda pair: (_RANK[pair[0].form], pair[1][0] - pair[1][1])))


def _names_part(part: Topic, text: str, languages: tuple[str, ...], kind: frozenset[str]) -> bool:
    return any(singularise(text[start:end]) not in kind for start, end in part.find(ASKS, text, languages))


def _relation(text: str, measure: Measure | None) -> str:
    if measure is None:
        return ""
    at_least, at_most = has("at least", text), has("at most", text)
    if at_least or at_most or has("more", text) or has("less", text):
        less = at_most or (has("less", text) and not has("more", text))
        if has("fit", text) and not has("hold", text):
            return FITS
        return LESS if less else MORE
    if has("fit", text) and measure.quantity == "length":
        return FITS
    return HOLDS if has("hold", text) and not has("fit", text) else ""
