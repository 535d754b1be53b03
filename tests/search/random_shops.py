"""Shops, filters and a plain judge of both, for tests that compare the quick answer with the obvious one."""

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


def product(draw, number):
    """A product whose id sorts in another order than its key; one draw, which is what costs time here."""
    digits = draw(st.integers(0, 2**20))

    def one_of(choices):
        nonlocal digits
        digits, chosen = divmod(digits, len(choices))
        return choices[chosen]

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


def one_or_more(values):
    """A value, or a list of some."""
    return st.one_of(st.sampled_from(values), st.lists(st.sampled_from(values), min_size=1, max_size=3))


def bounds(numbers):
    """An object with min, max, or both in order."""
    pairs = st.tuples(st.sampled_from(numbers), st.sampled_from(numbers)).map(sorted)
    return st.one_of(
        pairs.map(lambda pair: {"min": pair[0], "max": pair[1]}),
        st.sampled_from(numbers).map(lambda least: {"min": least}),
        st.sampled_from(numbers).map(lambda most: {"max": most}),
    )


LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "category": one_or_more(("apparel", "Apparel>Topwear", "Footwear > Shoes", "Topwear", "None")),
        "brand": one_or_more(("puma", "NIKE", "耐克", "Acme")),
        "price": bounds((0, 9.99, 10, 12.9, 49.99, 50)),
        "in_stock": st.booleans(),
        "on_sale": st.booleans(),
        "colour": one_or_more(("RED", "navy blue", "blue", "red, blue", "pink")),
        "id": one_or_more(("007", "014", "021", "nobody")),
        "attributes": st.fixed_dictionaries({}, optional={"size": one_or_more(("m", "S", "L")), "None": st.just("x")}),
    },
)
RANGED = st.one_of(LEAVES, bounds((9, 12, 12.5, 13)).map(lambda given: {"attributes": {"size": given}}))
FILTERS = st.recursive(
    RANGED,
    lambda inner: st.one_of(
        st.tuples(RANGED, inner).map(lambda pair: {**pair[0], "not": pair[1]}),
        st.tuples(RANGED, st.lists(inner, min_size=1, max_size=3)).map(lambda pair: {**pair[0], "any": pair[1]}),
    ),
    max_leaves=4,
)


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
