"""The language in which a customer is answered: that of the message, else that of the conversation."""

from __future__ import annotations

from catalog.text.glossary import ENGLISH
from catalog.text.tokenizer import normalise, unspaced
from search.language.detection import is_word_of, language_of
from search.language.english import FUNCTION_WORDS
from search.language.terms import term_words

OFFERED = ("en", "zh", "de", "fr", "es")
FEW_WORDS = 2  # a text of so many words without a function word may be of any language: a name, "ok", "beige"


def reply_language(text: str, earlier: str, page: str) -> str:
    """Return the language to answer in.

    `earlier` is that of the conversation, `page` that of the page; each "" where there is none. A text that shows no
    language, such as "10482", does not change it.
    """
    before = next((code for code in (earlier, page) if code in OFFERED), ENGLISH)
    words = [word for word in term_words(normalise(text)) if not any(map(str.isdigit, word))]
    if not words or "@" in text:
        return before
    if before != ENGLISH and not unspaced(text):
        own = sum(is_word_of(word, before) for word in words)
        if own > len(FUNCTION_WORDS.intersection(words)) and 2 * own >= len(words):
            return before
    shown = language_of(text)
    if shown != ENGLISH:
        return shown if shown in OFFERED else before
    return ENGLISH if len(words) > FEW_WORDS or FUNCTION_WORDS.intersection(words) else before
