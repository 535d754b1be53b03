"""What rules notice in the text of a review: links, contact details, insulting words, noise."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

from catalog.text.folding import UNSPACED, normalise

LINK, CONTACT, INSULT, SPAM, DUPLICATE = "link", "contact", "insult", "spam", "duplicate"
NOT_A_REVIEW = "not_a_review"  # a question, or a matter of an order
REASONS = (LINK, CONTACT, INSULT, SPAM, DUPLICATE, NOT_A_REVIEW)

# Endings that are no words: "it keeps warm.It is wide" forgets a space and names no site.
_ENDINGS = "com|net|org|info|biz|shop|store|xyz|vip|io|ru|cn|uk|eu|ly"
# A name is read from its beginning only: the time grows with a text's length, not with its square.
_LINK = re.compile(
    rf"https?\s*:\s*/\s*/|\bwww\s*\.\s*\w|(?<![\w-])[\w-]+\s?(?:\.|\[\.\]|\(dot\)|\sdot\s)\s?(?:{_ENDINGS})\b"
    r"|(?<![\w-])[\w-]+\.[a-z]{2,6}/[\w?#-]",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+\s?(?:\.|\(dot\)|\[dot\])\s?\w{2,}", re.IGNORECASE
)
_MESSENGER = re.compile(
    r"\b(?:whats\s?app|wechat|telegram|viber|skype|snapchat|instagram|insta|line id|qq)\b\s*[:：+@#]?\s*[\w@+-]{3,}"
    r"|(?:微信|威信|薇信|加v|加q|qq群|扣扣|电报|手机号)\s*[:：]?\s*[a-z0-9_-]{4,}",
    re.IGNORECASE,
)
# Nine digits or more that are grouped as those of telephones are; sizes and article numbers are shorter.
_TELEPHONE = re.compile(r"(?<![\w.])(?:\+|00)?\d(?:[\s()/.-]?\d){8,14}(?![\w])")
_WORD = re.compile(r"[^\W_]+")
_REPEATED = re.compile(r"(.)\1{9,}")
_LEAST_NOISE = 30  # characters
_SAME_WORD = 0.6  # share of one word in a text from which it is noise


def rule_reasons(title: str, text: str) -> tuple[str, ...]:
    """Return the codes of what rules notice in a review, each once."""
    whole = f"{title}\n{text}"
    found = {
        LINK: bool(_LINK.search(_MAIL.sub(" ", whole))),
        CONTACT: any(pattern.search(whole) for pattern in (_MAIL, _MESSENGER, _TELEPHONE)),
        INSULT: has_insult(whole),
        SPAM: _is_noise(whole),
    }
    return tuple(reason for reason, noticed in found.items() if noticed)


def has_insult(text: str) -> bool:
    """Tell whether a text has a word or phrase of the list of insults, in any of its languages."""
    spaced, unspaced = _insults()
    folded = normalise(text)
    words = f" {' '.join(_WORD.findall(folded))} "
    return any(phrase in words for phrase in spaced) or any(phrase in folded for phrase in unspaced)


def _is_noise(text: str) -> bool:
    words = _WORD.findall(normalise(text))
    if _REPEATED.search(text) or len(text) < _LEAST_NOISE or len(words) < 8:
        return bool(_REPEATED.search(text))
    return max(Counter(words).values()) > _SAME_WORD * len(words)


@cache
def _insults() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the phrases of languages with spaces, in spaces, and those of others."""
    with Path(__file__).with_name("insults.csv").open(encoding="utf-8", newline="") as file:
        phrases = [normalise(row["phrase"]) for row in csv.DictReader(file)]
    unspaced = tuple(phrase for phrase in phrases if re.search(f"[{UNSPACED}]", phrase))
    return tuple(f" {' '.join(_WORD.findall(phrase))} " for phrase in phrases if phrase not in unspaced), unspaced
