"""What a shop states about a product: its attributes, its title, and the sentences of its description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.product import Product
from catalog.technical_attributes import is_technical
from catalog.text.folding import normalise
from catalog.text.glossary import ENGLISH
from catalog.translated_attributes import OTHER_LANGUAGES, translated_field
from search.assistant.products.answer import ATTRIBUTE, DESCRIPTION, TITLE
from search.assistant.products.reading.measures import plain
from search.language.detection import language_of

MAX_SENTENCES = 200
MAX_SENTENCE = 600  # characters; a longer one is cut
_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[^\W\d_a-z]|\d|[\"“¿¡(])|(?<=[。！？；])|[\n\r•·]+|\s+[-–]\s+(?=[A-Z])")
_TEXT_OF_PRODUCT = re.compile(r"(?:title|description|category)_[a-z]{2}$")  # in some language
_UNIT_OF_NAME = re.compile(r"\(([^()]{1,12})\)\s*$|(?<=_)(cm|mm|in|kg|g|ml|l|w|v)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """A text of the shop about a product: `kind` is the source's, `name` that of an attribute.

    `plain` is the text, with an attribute's name before it, as patterns read it.
    """

    kind: str
    text: str
    language: str
    name: str = ""
    label: str = ""  # an attribute's name as patterns read it
    plain: str = ""


def statements_of(product: Product, language: str) -> list[Statement]:
    """Return what is stated about a product: attributes, then title, then description.

    Of a text that the shop has in the customer's language, that version comes before the original.
    """
    own = language_of(product.description or product.title)
    found = [*_attributes(product, own), *_texts(product, TITLE, product.title, own)]
    found += _texts(product, DESCRIPTION, product.description, own)
    order = {ATTRIBUTE: 0, TITLE: 1, DESCRIPTION: 2}
    return sorted(found, key=lambda statement: (order[statement.kind], statement.language != language))


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text."""
    for number, sentence in enumerate(filter(None, (part.strip() for part in _END.split(text) if part))):
        if number == MAX_SENTENCES:
            return
        yield sentence[:MAX_SENTENCE]


def _attributes(product: Product, own: str) -> Iterator[Statement]:
    if product.brand:
        yield _statement(ATTRIBUTE, product.brand, "", "brand")
    for name, value in product.attributes.items():
        field = translated_field(name)
        if not value.strip() or is_technical(field or name, value) or _TEXT_OF_PRODUCT.match(name):
            continue
        for sentence in sentences(value):
            yield _statement(ATTRIBUTE, sentence, name.rpartition("_")[2] if field else own, field or name)


def _texts(product: Product, kind: str, text: str, own: str) -> Iterator[Statement]:
    versions = {language: product.attributes.get(f"{kind}_{language}", "") for language in (*OTHER_LANGUAGES, ENGLISH)}
    for language, version in ((own, text), *((code, other) for code, other in versions.items() if other)):
        for sentence in sentences(version) if kind == DESCRIPTION else filter(None, [version.strip()]):
            yield _statement(kind, sentence, language)


def _statement(kind: str, text: str, language: str, name: str = "") -> Statement:
    label = normalise(re.sub(r"[_\-]+", " ", name)).strip()
    read = plain(text)
    if name:
        unit = _UNIT_OF_NAME.search(name)
        if unit and re.fullmatch(r"[\d.,x×* ]+", read):
            read = f"{read} {normalise(unit[1] or unit[2])}"
        read = f"{label}: {read}"
    return Statement(kind, text, language, name, label, read)
