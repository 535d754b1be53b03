"""What could have been said before a recording: words of the shop, which become more probable in it."""

from __future__ import annotations

from catalog.text.glossary import ENGLISH, GLOSSARY, read_glossary
from search.language.detection import CHINESE
from search.language.english import FUNCTION_WORDS
from search.language.terms import JAPANESE, path_of_terms
from search.speech.vocabulary import SpokenVocabulary

MAX_WORDS = 48


def prompt_of(vocabulary: SpokenVocabulary, language: str) -> str:
    """Return the shop's most frequent words in a language; in others than English, those that the glossary has."""
    if language == ENGLISH:
        frequent = [word for word in vocabulary.frequent(2 * MAX_WORDS) if word not in FUNCTION_WORDS]
        return ", ".join(frequent[:MAX_WORDS])
    counts: dict[str, int] = {}
    terms: dict[str, str] = {}  # by the English: the first one is the usual one
    for entry in read_glossary(GLOSSARY if language == CHINESE else path_of_terms(language)):
        if entry.language == language and entry.replacements:
            english = entry.replacements[0]
            count = min(map(vocabulary.count, english.split()), default=0)
            if count and len(entry.term) > 1 and english not in terms:
                terms[english], counts[english] = entry.term, count
    best = sorted(terms, key=lambda english: -counts[english])[:MAX_WORDS]
    return ("、" if language in (CHINESE, JAPANESE) else ", ").join(terms[english] for english in best)
