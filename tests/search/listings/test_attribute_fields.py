"""What products say, and which attributes name kinds of things."""

from dataclasses import replace

from catalog.product import Product
from search.listings.attribute_fields import field_labels, group_of, labels_of, translation, value_translations


def product(number, **attributes):
    return Product(str(number), "t", (), "A>B", attributes=attributes)


def test_a_value_may_say_two_things():
    one = product(1, colour="oak and white, red/Sand")
    assert field_labels(one, "colour") == ("oak", "white", "red", "Sand")
    assert field_labels(one, "category") == ("A > B",)
    assert field_labels(one, "size") == ()


def test_only_what_names_kinds_is_learnt():
    many = [
        product(n, colour=("red", "blue")[n % 2], sku=f"x{n}", year=str(2000 + n % 2), all="same", group=f"g{n % 2}")
        for n in range(10)
    ]
    assert list(labels_of(many)) == ["category", "colour"]


def test_what_says_the_same_in_another_language_is_not_learnt_apart():
    attributes = {"colour": "red blue", "colour_zh": "红 蓝", "category_zh": "甲 乙", "kind_zh": "圆 方"}
    many = [product(n, **{name: words.split()[n % 2] for name, words in attributes.items()}) for n in range(20)]
    assert list(labels_of(many)) == ["category", "colour", "kind_zh"]
    named = [replace(one, attributes=one.attributes | {"kind": f"kind {n}"}) for n, one in enumerate(many)]
    assert list(labels_of(named)) == ["category", "colour", "kind_zh"]  # kinds that are names are learnt by no field


def test_variants_are_one_group():
    assert group_of(product(1, group="g")) == group_of(product(2, group="g")) == "g"
    assert group_of(product(3)) == "3"
    assert group_of(replace(product(3, group="g"), item_group_id="i")) == "i"


def test_values_are_translated_by_what_products_tell():
    attributes = {"category_zh": "家居 > 灯", "colour": "red", "colour_zh": "红色", "colour_de": "rot"}
    lamp = Product("1", "Lamp", (), "Home > Lamps", attributes=attributes)
    translations = value_translations(
        [lamp, replace(lamp, attributes={"colour": "red", "colour_zh": "朱红", "title_zh": "台灯"})]
    )
    assert translations == {
        "category_zh": {"Home": "家居", "Lamps": "灯"},
        "colour_zh": {"red": "红色"},
        "colour_de": {"red": "rot"},
    }
    assert translation("category_zh", "Home > Lamps", translations) == "家居 > 灯"
    assert translation("category_zh", "Home > Beds", translations) == ""
    assert translation("colour_de", "blue", translations) == ""
