"""Personal data in what customers write: e-mail, phone, card, order and account numbers, addresses, names.

Patterns find the usual forms of English, Chinese and European texts. They cannot find all: a name without "my name is"
stays. Every repetition has a limit, so that the time grows with the length of a text alone.
"""

from __future__ import annotations

import re

from search.assistant.threads.mail_addresses import addresses_in

MAIL, PHONE, CARD, ACCOUNT, NUMBER = "[e-mail]", "[phone]", "[card]", "[account]", "[number]"
ORDER, ADDRESS, NAME = "[order]", "[address]", "[name]"

_FLAGS = re.IGNORECASE
_MAIL = re.compile(
    r"[\w.+%'&-]{1,64}(?:\s?[@＠]\s?|\s?[\[({]\s?at\s?[\])}]\s?|\sat\s(?=[\w-]{1,63}(?:\sdot\s|\.[a-z]{2,12}\b)))"
    r"[\w-]{1,63}(?:(?:[.．。]|\s?[\[({]\s?dot\s?[\])}]\s?|\sdot\s)[\w-]{1,63}){1,5}",
    _FLAGS,
)
_CARD = re.compile(r"(?<![\w-])\d(?:[\s.-]{0,3}\d){12,18}(?![\w-])")
_GAP = re.compile(r"[\s.-]{1,3}")
MIN_CARD = 13  # digits
# Numbers of payment cards begin so: Visa, Mastercard, American Express, Diners, Discover, UnionPay, JCB.
_CARD_BEGINS = re.compile(r"4|5[1-5]|2[2-7]|3[4-9]|6")
_ACCOUNT = re.compile(
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b|(?<!\d)\d{17}[\dXx](?!\w)"
    r"|\b[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2}(?: ?\d{4}){1,5}(?: ?\d{1,4})?\b"
)
_BETWEEN = r"[ .\-/()–]{0,2}"
_PHONE = re.compile(
    rf"(?<![\w+])(?:\+|00)\d{_BETWEEN}(?:\d{_BETWEEN}){{6,14}}\d(?!\d)"
    rf"|(?<![\w.,])\(?0\d{_BETWEEN}(?:\d{_BETWEEN}){{5,11}}\d(?!\d)"
    r"|(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"
    r"|(?<!\d)\(\d{3}\) ?\d{3}[ -]?\d{4}(?!\d)"
    r"|(?:phone|tel(?:efon|[eé]fono|[eé]phone)?|call me(?: on| at)?|mobile|handy|电话|電話|手机(?:号码?)?|手機)"
    rf"[\s.:：is是]{{0,4}}\(?\d{_BETWEEN}(?:\d{_BETWEEN}){{4,14}}",
    _FLAGS,
)
_ORDER = re.compile(
    r"((?:order|bestell(?:ung|nummer|nr)|auftrag(?:snummer)?|commande|pedido|订单编?号?|訂單編?號?|单号|單號)"
    r"(?:[\s.:：#＃=\-–]|no\b|nr\b|num(?:ber|mer|ero|éro)?\b|n°|nº|is\b|id\b|was\b|lautet\b|ist\b|est\b|es\b"
    r"|号码?|是|为){0,8})"
    r"(?=[\w-]{0,20}\d)([a-z0-9][\w-]{2,30})",
    _FLAGS,
)
_CODE = re.compile(r"[#＃] ?\d{3,20}\b|\b[A-Z]{1,5}[-_]?\d{4,20}(?:-\d{1,10}){0,3}\b")
_DATE = re.compile(r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?!\d)")
_LONG = re.compile(rf"(?<![\w.,])\(?\d{_BETWEEN}(?:\d{_BETWEEN}){{5,30}}\d(?![\d])|(?<![\w.,])\d{{5,30}}(?!\w)")
_WITH_DIGIT = re.compile(r"\b(?=[\w-]{0,40}\d)[\w-]{4,40}")
_ALONE = re.compile(r"\s*[#＃]?(?=[a-z0-9-]{0,30}\d{3})[a-z0-9-]{3,31}[.!]?\s*", re.IGNORECASE | re.ASCII)
_STREETS = "street|road|avenue|boulevard|lane"
_SHORT_STREETS = "St|Rd|Ave|Blvd|Ln|Drive|Dr|Court|Ct|Way|Place|Square|Sq|Terrace|Close|Crescent|Hill|Row"
_ADDRESSES = (
    re.compile(rf"\b\d{{1,5}}[a-z]?,? (?:[\w'.-]{{1,20}} ){{1,3}}(?:{_STREETS})\b", _FLAGS),
    re.compile(rf"\b\d{{1,5}}[A-Za-z]?,? (?:[A-Z][\w'.-]{{0,20}} ){{1,3}}(?:{_SHORT_STREETS})\b\.?"),
    re.compile(r"\b[A-ZÄÖÜ][\w-]{1,30}(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|damm|ufer) ?\d{1,4} ?[a-z]?\b"),
    re.compile(r"\b[A-ZÄÖÜ][\w-]{1,30} (?:Stra(?:ß|ss)e|Str\.|Weg|Platz|Allee|Gasse|Ring|Damm) \d{1,4} ?[a-z]?\b"),
    re.compile(
        r"\b\d{1,4}(?: ?bis| ?ter)?,? (?:rue|avenue|av\.|boulevard|bd|place|chemin|impasse|allée|quai|route)"
        r"(?: [\w'’-]{1,25}){1,4}",
        _FLAGS,
    ),
    re.compile(
        r"(?:\bcalle|\bc/|\bavenida|\bavda\.?|\bplaza|\bpaseo|\bcamino)(?: ?[\w'’.-]{1,25}){1,4}"
        r",? ?(?:n[º°.] ?)?\b\d{1,4}\b",
        _FLAGS,
    ),
    re.compile(r"\b(?:[A-Z]{1,2}-)?\d{4,5} [A-ZÄÖÜÉ][a-zäöüßéè-]{2,30}\b"),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b[A-Z]{2} \d{5}(?:-\d{4})?\b"),
    re.compile(
        r"(?:[\u4e00-\u9fff]{2,8}(?:省|自治区))?(?:[\u4e00-\u9fff]{2,8}市)?(?:[\u4e00-\u9fff]{1,8}(?:区|县|镇|街道))?"
        r"[\u4e00-\u9fffA-Za-z0-9]{1,12}(?:路|街|道|巷|弄|胡同)[\d一二三四五六七八九十百]{1,5}[号弄號]"
        r"(?:[\u4e00-\u9fffA-Za-z\d-]{0,12}(?:室|楼|栋|单元|层)){0,3}"
    ),
    re.compile(r"[\u4e00-\u9fff]{2,10}(?:小区|花园|公寓|大厦|苑|村)\d{1,4}[栋幢号楼](?:[\d单元栋幢号楼-]{1,10}室?)?"),
    re.compile(r"\bP\.? ?O\.? ?Box \d{1,8}|\bPostfach \d[\d ]{1,8}", _FLAGS),
)
_NAMES = re.compile(
    r"((?:my name(?: is|['’]s)|i am called|ich hei(?:ß|ss)e|mein name ist|je m['’]appelle|mon nom est|me llamo"
    r"|mi nombre es)\s|(?<!\w )\b(?:my |full |first |last )?(?:name|nombre|nom) ?[:：]\s{0,2})"
    r"[^\W\d_][\w'’-]{0,30}(?: [A-ZÄÖÜÉ][\w'’-]{0,30}){0,2}"
    r"|((?:我叫|我的名字(?:是|叫)|姓名[:：是]?|收件人[:：是]?|联系人[:：是]?)\s?)[\u4e00-\u9fff·]{2,4}",
    _FLAGS,
)


def mask(text: str) -> str:
    """Return the text with the kind of each personal datum in its place: "Write to [e-mail]"."""
    if _ALONE.fullmatch(text):  # what customers answer when they are asked for a number
        return ORDER
    text = mask_cards(_MAIL.sub(MAIL, text))
    for pattern in _ADDRESSES:
        text = pattern.sub(ADDRESS, text)
    text = _NAMES.sub(lambda found: f"{found[1] or found[2]}{NAME}", text)
    text = _ORDER.sub(rf"\1{ORDER}", text)
    text = _PHONE.sub(PHONE, _ACCOUNT.sub(ACCOUNT, text))
    pieces, end = [], 0
    for date in _DATE.finditer(text):
        pieces += [_mask_numbers(text[end : date.start()]), date[0]]
        end = date.end()
    return "".join((*pieces, _mask_numbers(text[end:])))


def mask_order(text: str) -> str:
    """Return what is said of an order without anything that names it: its number, that of the parcel, days."""
    return _WITH_DIGIT.sub(NUMBER, mask(text))


def mask_cards(text: str) -> str:
    """Return the text without the numbers of payment cards, which nobody may store."""
    return _CARD.sub(_masked_card, text)


def mails_in(text: str) -> tuple[str, ...]:
    """Return the addresses of e-mail in a text, in small letters."""
    return tuple(dict.fromkeys(found.lower() for found in addresses_in(text)))


def _mask_numbers(text: str) -> str:
    return _LONG.sub(NUMBER, _CODE.sub(NUMBER, text))


def _masked_card(found: re.Match[str]) -> str:
    """Return digits without the card at their beginning: a date or another number may follow it."""
    text = found[0]
    ends = [len(text), *(gap.start() for gap in reversed([*_GAP.finditer(text)]))]
    end = next((end for end in ends if _is_card(text[:end])), None)
    return text if end is None else CARD + text[end:]


def _is_card(text: str) -> bool:
    """Tell whether digits are the number of a card: how it begins, and its check digit (Luhn)."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    if len(digits) < MIN_CARD or _CARD_BEGINS.match("".join(map(str, digits))) is None:
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
