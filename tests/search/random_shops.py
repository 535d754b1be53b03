"""Shops, filters and a plain judge of both, for tests that compare the quick answer with the obvious one."""

import random
import re
from decimal import Decimal
from types import MappingProxyType

from hypothesis import strategies as st

from catalog.product import Picture, Product

CATEGORIES = ("", "Apparel", "Apparel > Topwear", "Apparel > Topwear > Shirts", "Footwear > Shoes", "Footwear")
BRANDS = ("", "Puma", "PUMA ", "Nike", "耐克")
COLOURS = ("Red", "red, blue", "Navy  Blue", "Blue")
PRICES = (None, "0", "9.99", "10", "10.01", "50", "12.90")
SIZES = ("M", "S, M", "12 cm", "12.5cm", "9", "l")
CHANCES = st.integers(0, 2**32 - 1).map(random.Random)  # a draw for each product would take most of the time


def products(chance, numbers):
    """Products by chance, by number."""
    return {number: product(chance, number) for number in numbers}


def product(chance, number):
    """A product whose id sorts in another order than its key."""
    one_of = chance.choice
    price, colour, size = one_of(PRICES), one_of(("", *COLOURS)), one_of(("", *SIZES))
    attributes = {one_of(("colour", "color")): colour, "size": size}
    return Product(
        id=f"{(number * 7) % 101:03}",
        title="thing",
        pictures=(Picture("x"),),
        category=one_of(CATEGORIES),
        price=None if price is None else Decimal(price),
        list_price=one_of((None, None, Decimal("12.90"))),
        currency="" if price is None else one_of(("EUR", "USD")),
        in_stock=one_of((True, False)),
        brand=one_of(BRANDS).strip(),
        attributes=MappingProxyType({name: value for name, value in attributes.items() if value}),
    )


CHOICES = {
    "category": ("apparel", "Apparel>Topwear", "Footwear > Shoes", "Topwear", "None"),
    "brand": ("puma", "NIKE", "耐克", "Acme"),
    "colour": ("RED", "navy blue", "blue", "red, blue", "pink"),
    "id": ("007", "014", "021", "nobody"),
}
SHARE_NAMED = 0.2  # of the fields, by a filter without others in it


def drawn_filter(chance, leaves=4):
    """A filter in its JSON form; it may have others in it."""
    wanted = (
        _narrowed(chance) if chance.random() < 0.7 else {"attributes": {"size": _bounds(chance, (9, 12, 12.5, 13))}}
    )
    if leaves > 1 and chance.random() < 0.4:
        wanted["not"] = drawn_filter(chance, leaves // 2)
    if leaves > 1 and chance.random() < 0.4:
        wanted["any"] = [drawn_filter(chance, leaves // 2) for _ in range(chance.randint(1, 3))]
    return wanted


def _narrowed(chance):
    named = {name: _one_or_more(chance, values) for name, values in CHOICES.items()}
    named |= {name: chance.random() < 0.5 for name in ("in_stock", "on_sale")}
    named["price"] = _bounds(chance, (0, 9.99, 10, 12.9, 49.99, 50))
    attributes = {"size": _one_or_more(chance, ("m", "S", "L")), "None": "x"}
    named["attributes"] = {name: value for name, value in attributes.items() if chance.random() < 0.5}
    return {name: value for name, value in named.items() if chance.random() < SHARE_NAMED}


def _one_or_more(chance, values):
    if chance.random() < 0.5:
        return chance.choice(values)
    return [chance.choice(values) for _ in range(chance.randint(1, 3))]


def _bounds(chance, numbers):
    least, most = sorted((chance.choice(numbers), chance.choice(numbers)))
    return chance.choice(({"min": least, "max": most}, {"min": least}, {"max": most}))


FILTERS = CHANCES.map(drawn_filter)


def passes(asked, product):
    """Whether a product passes a filter in its JSON form, worked out one product at a time."""
    return all(_holds(name, value, product) for name, value in asked.items())


def _holds(name, value, product):
    if name == "not":
        return not passes(value, product)
    if name == "any":
        return any(passes(each, product) for each in value)
    if name == "in_stock":
        return product.in_stock is value
    if name == "on_sale":
        return (product.price is not None and 0 < product.price < (product.list_price or 0)) is value
    if name == "price":
        return product.price is not None and _within(float(product.price), value)
    if name == "attributes":
        return all(_attribute(product.attributes.get(each, ""), wanted) for each, wanted in value.items())
    values = [value] if isinstance(value, str) else value
    if name == "id":
        return product.id in values
    if name == "brand":
        return product.brand.lower() in [each.lower() for each in values]
    if name == "category":
        path = [part.lower() for part in product.category_path]
        wanted = [[part.strip().lower() for part in each.split(">")] for each in values]
        return any(path[: len(parts)] == parts for parts in wanted)
    colour = product.attributes.get("colour", product.attributes.get("color", ""))
    return _attribute(colour, values)


def _attribute(text, wanted):
    parts = {" ".join(part.split()).lower() for part in text.split(", ")} - {""}
    if isinstance(wanted, dict):
        numbers = [re.match(r"[\d.]+", part) for part in parts if part[0].isdigit()]
        return any(_within(float(number[0]), wanted) for number in numbers)
    values = [wanted] if isinstance(wanted, str) else wanted
    return any(set(value.lower().split(", ")) <= parts for value in values)


def _within(number, given):
    return given.get("min", number) <= number <= given.get("max", number)
