"""Pack changes of one product into a segment: about six bytes for a change of the price alone.

A segment is the byte FORMAT and then its changes, the newest first. The newest is written in full and each older one as
its difference from the next newer one, so a change is added at the front without reading the others, and a reader that
wants the last weeks stops early. A number is a base-128 varint, the low seven bits first; a signed one is zigzag-coded
before (both as in Protocol Buffers, "Encoding"). A change is

    flags       what differs from the newer change (price, list price, currency), in stock, present, imported
    seconds     to the newer change; those since 1970 in the newest
    price, list price, currency, where they differ

An amount with as many decimals as that of the newer change is twice its signed difference in the smallest unit. Else it
is 1 for no amount, or an odd number with the decimal exponent, and the whole amount in its smallest unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from catalog.errors import DamagedStore
from catalog.price_history.price_change import PriceChange

FORMAT = 1
MAX_BYTES = 350  # of a segment: one that is longer gets no further change

_PRICE, _LIST_PRICE, _CURRENCY, _IN_STOCK, _PRESENT, _IMPORTED = (1 << bit for bit in range(6))
_MAX_BITS = 256  # of a number: more is damage
_CACHED_AMOUNTS = 65_536  # amounts of a shop, which come again and again
_BEFORE_ALL = PriceChange(0, None)  # what the newest change of a segment is compared with


def pack(changes: Sequence[PriceChange]) -> bytes:
    """Return one segment of these changes, at least one, which are in the order of time, the oldest first."""
    rest = b""
    for older, change in pairwise(changes):
        rest = older_part(change, older, rest)
    return with_newest(changes[-1], rest)


def with_newest(change: PriceChange, rest: bytes) -> bytes:
    """Return the segment of a change and of the `older_part` that belongs to it, b"" for none."""
    out = bytearray((FORMAT,))
    _write(out, _BEFORE_ALL, change, change.at)
    return bytes(out) + rest


def older_part(change: PriceChange, newest_before: PriceChange, rest: bytes) -> bytes:
    """Return the bytes of all older changes than `change`, given what `newest` returned of them."""
    out = bytearray()
    _write(out, change, newest_before, change.at - newest_before.at)
    return bytes(out) + rest


def newest(segment: bytes) -> tuple[PriceChange, bytes]:
    """Return the newest change of a segment, and the bytes of the others. Raises DamagedStore."""
    change, end = next(_read(segment))
    return change, segment[end:]


def unpack(segment: bytes) -> Iterator[PriceChange]:
    """Yield the changes of a segment, the newest first. Raises DamagedStore."""
    return (change for change, _ in _read(segment))


def split(changes: Sequence[PriceChange]) -> list[bytes]:
    """Return the segments of all changes of a product, which are in the order of time, the oldest first."""
    segments: list[bytes] = []
    rest = b""
    for number, change in enumerate(changes):
        if segments and len(segments[-1]) < MAX_BYTES:
            rest = older_part(change, changes[number - 1], rest)
            segments[-1] = with_newest(change, rest)
        else:
            rest = b""
            segments.append(with_newest(change, rest))
    return segments


def _damaged() -> DamagedStore:
    return DamagedStore("A part of the price history cannot be read.", "Restore the catalogue from a backup.")


def _write(out: bytearray, newer: PriceChange, change: PriceChange, seconds: int) -> None:
    """Write one change as its difference from the newer one."""
    flags = _IN_STOCK * change.in_stock | _PRESENT * change.present | _IMPORTED * change.imported
    price, list_price = _written(newer.price, change.price), _written(newer.list_price, change.list_price)
    currency = change.currency != newer.currency
    out.append(flags | _PRICE * bool(price) | _LIST_PRICE * bool(list_price) | _CURRENCY * currency)
    out += _number(seconds) + price + list_price
    if currency:
        text = change.currency.encode("utf-8")
        out += _number(len(text)) + text


def _written(newer: Decimal | None, amount: Decimal | None) -> bytes:
    """Return the bytes of an amount, b"" where it is the newer one to the last decimal: 9.9 is not 9.90."""
    if amount is None:
        return b"" if newer is None else b"\x01"
    units, exponent = _units(str(amount))
    newer_units, newer_exponent = (0, None) if newer is None else _units(str(newer))
    if exponent != newer_exponent:
        return _number(2 * _zigzag(exponent) + 3) + _number(_zigzag(units))
    return b"" if units == newer_units else _number(2 * _zigzag(units - newer_units))


@lru_cache(_CACHED_AMOUNTS)
def _units(amount: str) -> tuple[int, int]:
    """Return a finite amount as a whole number of its smallest unit, and the exponent of that unit."""
    sign, digits, exponent = Decimal(amount).as_tuple()
    units = int("".join(map(str, digits)))
    return (-units if sign else units), int(exponent)


@lru_cache(_CACHED_AMOUNTS)
def _amount(units: int, exponent: int) -> Decimal:
    return Decimal(f"{units}E{exponent}")


def _zigzag(number: int) -> int:
    return 2 * number if number >= 0 else -2 * number - 1


def _unzigzag(number: int) -> int:
    return number >> 1 if not number & 1 else -(number + 1 >> 1)


def _number(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read(segment: bytes) -> Iterator[tuple[PriceChange, int]]:
    """Yield each change, the newest first, and the place after it. Raises DamagedStore."""
    place, end, at = 1, len(segment), 0
    if end < 2 or segment[0] != FORMAT:
        raise _damaged()
    price = list_price = _NO_AMOUNT
    currency = ""
    try:
        while place < end:
            flags = segment[place]
            first = place == 1
            seconds, place = _read_number(segment, place + 1)
            at = seconds if first else at - seconds
            if flags & _PRICE:
                price, place = _read_amount(segment, place, price)
            if flags & _LIST_PRICE:
                list_price, place = _read_amount(segment, place, list_price)
            if flags & _CURRENCY:
                length, place = _read_number(segment, place)
                currency, place = segment[place : place + length].decode("utf-8"), place + length
            yield PriceChange(at, price[2], list_price[2], currency, *_FLAG_VALUES[flags >> 3 & 7]), place
    except (IndexError, ArithmeticError, ValueError) as error:
        raise _damaged() from error


_Amount = tuple[int, int | None, Decimal | None]  # units, exponent, and the amount itself
_NO_AMOUNT: _Amount = (0, None, None)
_FLAG_VALUES = tuple(
    (bool(bits & 1), bool(bits & 2), bool(bits & 4)) for bits in range(8)
)  # in stock, present, imported


def _read_amount(segment: bytes, place: int, newer: _Amount) -> tuple[_Amount, int]:
    code, place = _read_number(segment, place)
    if code == 1:
        return _NO_AMOUNT, place
    if code & 1:
        exponent: int | None = _unzigzag(code - 3 >> 1)
        number, place = _read_number(segment, place)
        units = _unzigzag(number)
    else:
        units, exponent = newer[0] + _unzigzag(code >> 1), newer[1]
    if exponent is None:
        raise ValueError("a difference from no amount")
    return (units, exponent, _amount(units, exponent)), place


def _read_number(segment: bytes, place: int) -> tuple[int, int]:
    byte = segment[place]
    number, shift = byte & 0x7F, 7
    while byte & 0x80:
        place += 1
        byte = segment[place]
        number |= (byte & 0x7F) << shift
        shift += 7
        if shift > _MAX_BITS:
            raise ValueError("a number without end")
    return number, place + 1
