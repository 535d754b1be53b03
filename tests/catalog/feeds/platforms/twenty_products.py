"""Twenty products of a small shop: what every export of it should load to."""

from dataclasses import dataclass
from decimal import Decimal

from PIL import Image

LANGUAGES = ("en", "de", "fr", "ru", "zh")
_KITCHEN = "Kitchen Küche Cuisine Кухня 厨房"
_LIVING = "Living Wohnen Salon Гостиная 客厅"
_DINING = "Dining Essen Séjour Столовая 餐厅"
_KINDS = {  # title, category, leaf category, price
    "mug": ("Mug Becher Tasse Кружка 马克杯", _KITCHEN, "Mugs Becher Tasses Кружки 杯子", "12.90"),
    "plate": ("Plate Teller Assiette Тарелка 盘子", _KITCHEN, "Plates Teller Assiettes Тарелки 餐盘", "8.50"),
    "lamp": ("Lamp Lampe Luminaire Лампа 台灯", _LIVING, "Lamps Leuchten Lampes Лампы 灯具", "1299.00"),
    "rug": ("Rug Läufer Tapis Ковёр 地毯", _LIVING, "Rugs Teppiche Tapis Ковры 毯子", "249.00"),
    "chair": ("Chair Stühlchen Chaise Стул 椅子", _DINING, "Chairs Stühle Chaises Стулья 座椅", "89.90"),
}
_COLOURS = {
    "red": "red rot rouge красный 红色",
    "blue": "blue blau bleu синий 蓝色",
    "green": "green grün vert зелёный 绿色",
    "white": "white weiß blanc белый 白色",
}
_DESCRIPTIONS = (
    "Sturdy, simple and made to last.",
    "Schlicht, kräftig und für lange Zeit gemacht.",
    "Simple, solide et conçue pour durer très longtemps.",
    "Простая, прочная вещь, сделанная надолго.",
    "简单结实，经久耐用。",
)


@dataclass(frozen=True)
class Variation:
    """One size of a product; its own number, price and stock."""

    sku: str
    size: str
    price: Decimal
    quantity: int


@dataclass(frozen=True)
class ShopProduct:
    """A product as its shop has it; `list_price` is None while it is not on sale."""

    number: int
    id: str
    title: str
    category: tuple[str, str]
    price: Decimal
    list_price: Decimal | None
    quantity: int
    description: str
    variations: tuple[Variation, ...]
    brand: str = "Kell"
    colour: str = "red"
    material: str = "Stoneware"

    @property
    def in_stock(self):
        return self.quantity > 0

    @property
    def pictures(self):
        return [f"images/{self.id}-{view}.png" for view in ("a", "b")]


def products(language=None):
    """The twenty products in one language, or each in another one."""
    made = []
    for number, (kind, colour) in enumerate((kind, colour) for kind in _KINDS for colour in _COLOURS):
        at = LANGUAGES.index(language) if language else number % len(LANGUAGES)
        name, top, leaf = (words.split()[at] for words in _KINDS[kind][:3])
        price = Decimal(_KINDS[kind][3])
        quantity = 0 if colour == "green" else 3
        sizes = ("S", "L") if kind in ("rug", "chair") else ()
        variations = tuple(
            Variation(f"{kind}-{colour}-{size}", size, price + 20 * step, quantity * step)
            for step, size in enumerate(sizes)
        )
        made.append(
            ShopProduct(
                number=number + 101,
                id=f"{kind}-{colour}",
                title=f"{name}, {_COLOURS[colour].split()[at]}",
                category=(top, leaf),
                price=price,
                list_price=price + 10 if colour == "red" else None,
                quantity=quantity,
                description=_DESCRIPTIONS[at],
                variations=variations,
                colour=colour,
            )
        )
    return made


def draw_pictures(folder):
    """Two pictures of every product."""
    (folder / "images").mkdir(exist_ok=True)
    for product in products():
        for name in product.pictures:
            Image.new("RGB", (4, 4)).save(folder / name)


def expected(product):
    """What is compared of a product."""
    return {
        "id": product.id,
        "title": product.title,
        "category": product.category,
        "price": product.price,
        "list_price": product.list_price,
        "in_stock": product.in_stock,
        "brand": product.brand,
        "description": product.description,
        "pictures": [name.removeprefix("images/") for name in product.pictures],
        "colour": product.colour,
        "material": product.material,
        "sizes": {variation.size for variation in product.variations},
    }
