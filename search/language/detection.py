"""The language of a question, from its words and its script.

An English question must be read as English whatever other languages' words look like, so a text is of another language
only where its words say so: "rot" alone is English, "rote Tasse" is German. Nothing is asked of a model.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType

from catalog.text.folding import normalise
from catalog.text.glossary import ENGLISH, GLOSSARY, read_glossary
from catalog.text.scripts import unspaced
from catalog.text.tokenizer import singularise
from indexer.generations.product_phrases import product_phrases
from search.language.english import FUNCTION_WORDS, frequency
from search.language.function_words import OWN, function_words
from search.language.stems import STEMMED
from search.language.terms import GERMAN, JAPANESE, LanguageTerms, shipped_terms, term_words

CHINESE = "zh"
MAX_WORDS = 32  # words of a text that are looked at
COMMON = 3000  # frequency from which an English word is no sign of another language that has it too

# What one word says for a language, as it is or as a form; its share where it is a rare English word too; what a usual
# English word says that is a function word; what a word says that is spelled with the language's letters.
KNOWN, FORM, RARE_ENGLISH, COMMON_FUNCTION, LETTER = 1.0, 0.9, 0.5, 0.3, 0.6
GERMAN_S = 0.8  # of a form with an s, which few German words take, unlike French and Spanish ones
EXACT = 0.02  # decides between languages that a text shows alike
AGAINST, RARE_AGAINST = 0.5, 0.3  # what an English word says against a language that lacks it
MIN_SPOKEN = 0.2  # evidence a word from which a shop's words are of a language
ENOUGH = 0.46  # evidence from which a text is of a language
ENOUGH_ALONE = 0.44  # the same for a text of one word that is hardly English and may be a form: "paniers"
HARDLY_ENGLISH = 50  # frequency of the rarest English words
TIES = ("de", "es", "fr")  # of texts that several show alike, such as "rouge", the last one: German borrows the most
_LETTERS = {"de": "äöüß", "fr": "éèêëàâçœùûîïô", "es": "ñáíóúé¿¡ü"}
_OWN_LETTERS = {language: re.compile(f"[{letters}]", re.IGNORECASE) for language, letters in _LETTERS.items()}
_WORD = re.compile(r"[^\W\d_]+")
_KANA = re.compile("[\u3041-\u309f\u30a1-\u30fa\u31f0-\u31ff]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@lru_cache(maxsize=1024)
def language_of(text: str) -> str:
    """Return the language of a text, "zh", "ja", "de", "fr" or "es"; "en" where no other one shows."""
    if unspaced(text):
        return _unspaced_language(text)
    evidence = evidence_of(text)
    best = max(evidence, key=lambda language: (round(evidence[language], 3), TIES.index(language)), default=ENGLISH)
    words = term_words(normalise(text))
    enough = ENOUGH_ALONE if len(words) == 1 and frequency(words[0]) <= HARDLY_ENGLISH else ENOUGH
    return best if evidence.get(best, 0.0) >= enough else ENGLISH


def speaks(words: Iterable[str], language: str) -> bool:
    """Return whether words, such as the most frequent ones of a shop, are largely of a language."""
    weights = [_weight(word, language) if is_word_of(word, language) else 0.0 for word in words]
    return sum(weights) >= MIN_SPOKEN * max(1, len(weights))


@lru_cache(maxsize=1024)  # a question's language is looked for several times
def evidence_of(text: str) -> Mapping[str, float]:
    """Return what the words of a text say for each language other than English that has any of them."""
    words = term_words(normalise(text))[:MAX_WORDS]
    foreign = [] if text.isascii() else [word for word in _WORD.findall(text) if not word.isascii()]
    shown = STEMMED if foreign else frozenset().union(*map(_languages_of, words))
    found = {language: _evidence(words, foreign, language) for language in STEMMED if language in shown}
    return MappingProxyType({language: evidence for language, evidence in found.items() if evidence})


@lru_cache(maxsize=1 << 15)
def _languages_of(word: str) -> frozenset[str]:
    """Return the languages in which a word is one, or begins a term."""
    terms = shipped_terms()
    begins = (language for language in STEMMED if language in terms and terms[language].begins(word))
    return frozenset([*begins, *(language for language in STEMMED if is_word_of(word, language))])


def _evidence(words: Sequence[str], foreign: Sequence[str], language: str) -> float:
    """Return the evidence of a text's words, normalised, and of those with letters that English lacks."""
    terms = shipped_terms().get(language)
    total, others, at = 0.0, [], 0
    while at < len(words):
        found = terms.match(words, at) if terms is not None else None
        length = found[1] if found else 1
        if length > 1:
            total += 0.0 if all(map(_is_common, words[at : at + length])) else KNOWN + length * EXACT
        elif is_word_of(words[at], language):
            total += _weight(words[at], language)
        else:
            others.append(words[at])
        at += length
    total += sum(LETTER for word in foreign if _has_own_letter(word, language))
    return total - sum(map(_against, others)) if total > 0 else 0.0


def _unspaced_language(text: str) -> str:
    """Return the language of a text with characters that Chinese and Japanese have, or others of such scripts."""
    if _KANA.search(text):
        return JAPANESE
    if not _HAN.search(text):
        return ENGLISH
    japanese = shipped_terms().get(JAPANESE)
    if japanese is None or not _can_encode(text, "shift_jis"):
        return CHINESE
    folded = normalise(text)
    covered, by_chinese = japanese.covered(folded), _chinese_terms().covered(folded)
    if _can_encode(text, "gb2312"):  # no character tells
        return JAPANESE if covered == len(folded) > by_chinese else CHINESE
    return JAPANESE if covered > by_chinese else CHINESE


def _can_encode(text: str, encoding: str) -> bool:
    """Return whether an older encoding, which has the characters of one language, has those of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _chinese_terms() -> LanguageTerms:
    return LanguageTerms(CHINESE, (entry for entry in read_glossary(GLOSSARY) if entry.language == CHINESE))


@cache
def _english_words() -> frozenset[str]:
    """Return the words of English terms and translations and of kinds of all shops: what is sold and how it looks."""
    entries = read_glossary(GLOSSARY)
    texts = [entry.term for entry in entries if entry.language == ENGLISH]
    texts += [text for entry in entries for text in entry.replacements]
    phrases, owners = product_phrases()
    texts += [phrases[number] for number in range(max(owners) + 1)]  # the names come first
    texts += [word for word, own in function_words(ENGLISH).items() if own.role == OWN]
    return frozenset(singularise(word) for text in texts for word in term_words(normalise(text)))


@lru_cache(maxsize=1 << 15)
def is_word_of(word: str, language: str) -> bool:
    """Return whether a word is a function word, a term in any form, or a compound of terms of a language."""
    terms = shipped_terms().get(language)
    if word in function_words(language):
        return True
    return terms is not None and (terms.has(word) or terms.entry_of_compound(word) is not None)


@lru_cache(maxsize=1 << 15)
def _weight(word: str, language: str) -> float:
    """Return what a word of a language says for it: next to nothing where it is a usual English word too."""
    terms = shipped_terms().get(language)
    exact = word in function_words(language) or (terms is not None and terms.is_exact(word))
    own = EXACT if exact else EXACT * _likeness(word, terms)
    if len(word) == 1 or word.isdigit() or singularise(word) in _english_words() or _is_international(word, language):
        return own
    count = frequency(word)
    if count < COMMON:
        form = GERMAN_S if language == GERMAN and word.endswith("s") else FORM
        return own + (KNOWN if exact else form) * (RARE_ENGLISH if count else 1.0)
    return own + (COMMON_FUNCTION if word in function_words(language) and word not in FUNCTION_WORDS else 0.0)


def _likeness(word: str, terms: LanguageTerms | None) -> float:
    """Return how much a form has in common with the term that it is a form of, 0 to 1: "jarras" is nearer to jarra."""
    found = terms.match([word], 0) if terms is not None else None
    if found is None:
        return 0.0
    term = normalise(found[0].term)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(word, term, strict=False)))
    return same / max(len(word), len(term))


def _is_international(word: str, language: str) -> bool:
    """Return whether a word is its own translation: "taupe", "XL"."""
    terms = shipped_terms().get(language)
    entry = terms.find((word,)) if terms is not None else None
    return entry is not None and any(word in term_words(normalise(text)) for text in entry.replacements)


@lru_cache(maxsize=1 << 15)
def _is_common(word: str) -> bool:
    return singularise(word) in _english_words() or frequency(word) >= COMMON


@lru_cache(maxsize=1 << 15)
def _against(word: str) -> float:
    """Return what a word that a language lacks says against it."""
    return AGAINST if _is_common(word) else RARE_AGAINST if frequency(word) else 0.0


def _has_own_letter(word: str, language: str) -> bool:
    """Return whether a word is spelled with letters of a language that English lacks, and is not used in English."""
    letters = [letter for letter in word if not letter.isascii()]
    folded = normalise(word)
    return all(map(_OWN_LETTERS[language].match, letters)) and not (_is_common(folded) or frequency(folded))
