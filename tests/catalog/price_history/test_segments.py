"""Changes are packed and unpacked unchanged, one by one or all at once."""

import contextlib
import random
from decimal import Decimal

import pytest

from catalog.errors import DamagedStore
from catalog.price_history.price_change import PriceChange
from catalog.price_history.segments import MAX_BYTES, newest, older_part, pack, split, unpack, with_newest

WEEK = 7 * 24 * 3600
AMOUNTS = ["0", "0.00", "9.9", "9.90", "1250", "0.0125", "1E+3", "-4.50", "123456789012.99", "1.23456789012345678901"]


def drawn(seed, count):
    chance, at = random.Random(seed), 1_600_000_000
    for _ in range(count):
        at += chance.choice((0, 0, 1, 127, 128, WEEK, 40 * WEEK))
        amounts = [None if chance.random() < 0.2 else Decimal(chance.choice(AMOUNTS)) for _ in range(2)]
        flags = [chance.random() < 0.5 for _ in range(3)]
        yield PriceChange(at, *amounts, chance.choice(("EUR", "EUR", "", "złoty")), *flags)


def exact(changes):
    """All fields, amounts with their decimals: 9.9 and 9.90 are equal, but not the same."""
    return [(str(change.price), str(change.list_price), change) for change in changes]


@pytest.mark.parametrize("seed", range(5))
def test_changes_come_back_as_they_were(seed):
    changes = list(drawn(seed, 60))
    assert exact(reversed(list(unpack(pack(changes))))) == exact(changes)
    one_by_one = pack(changes[:1])
    for number, change in enumerate(changes[1:], 2):
        one_by_one = with_newest(change, older_part(change, *newest(one_by_one)))
        assert exact([newest(one_by_one)[0]]) == exact([change])
        assert one_by_one == pack(changes[:number])


def test_all_changes_are_split_into_segments():
    changes = list(drawn(7, 300))
    segments = split(changes)
    assert len(segments) > 3 and all(len(segment) <= MAX_BYTES + 80 for segment in segments)
    assert [change for segment in segments for change in reversed(list(unpack(segment)))] == changes


def test_a_weekly_change_of_a_price_takes_six_bytes():
    chance = random.Random(1)
    changes = [
        PriceChange(week * WEEK, Decimal(chance.randrange(1_000, 3_000)) / 100, currency="EUR") for week in range(104)
    ]
    assert sum(map(len, split(changes))) <= 6.5 * len(changes)


@pytest.mark.parametrize(
    "damage", [b"", b"\x01", b"\x02\x18\x05", b"\x01\x19", b"\x01\x19\x05\x81", b"\x01\x19\x05\x04"]
)
def test_a_damaged_segment_is_reported(damage):
    with pytest.raises(DamagedStore, match="price history"):
        list(unpack(damage))


def test_any_bytes_are_read_or_reported():
    chance = random.Random(3)
    whole = pack(list(drawn(1, 20)))
    for _ in range(500):
        broken = bytearray(whole)
        broken[chance.randrange(len(broken))] = chance.randrange(256)
        with contextlib.suppress(DamagedStore):
            list(unpack(bytes(broken)))
