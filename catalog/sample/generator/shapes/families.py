"""Define the product families: shapes, finishes, categories and words for the styles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.sample.generator.shapes import decor, furniture, tableware
from catalog.sample.generator.shapes.tableware import Part, Rng

CERAMIC = ("glazed", "matte")
FURNITURE = ("wood", "painted")


@dataclass(frozen=True)
class Family:
    """A kind of product. `styles` are its three shapes in English and Chinese; `price` is in euros for a middling size.

    `view` says how it is photographed: "stand", "flat" (from above), "wall", or "hang".
    """

    key: str
    en: str
    zh: str
    category: tuple[str, str]
    category_zh: tuple[str, str]
    build: Callable[[int, Rng], list[Part]]
    finishes: tuple[str, ...]
    styles: tuple[tuple[str, str], tuple[str, str], tuple[str, str]]
    price: float
    view: str = "stand"


_TABLE, _TABLE_ZH = "Tableware", "餐具"
_KITCHEN, _KITCHEN_ZH = "Kitchen", "厨房用品"
_DECOR, _DECOR_ZH = "Decoration", "家居装饰"
_LIGHT, _LIGHT_ZH = "Lighting", "灯具"
_ROOM, _ROOM_ZH = "Furniture", "家具"
_SOFT, _SOFT_ZH = "Textiles", "家纺"
_STORE, _STORE_ZH = "Storage", "收纳"


def _family(
    key: str,
    names: tuple[str, str],
    shelf: tuple[str, str, str, str],
    build: Callable[[int, Rng], list[Part]],
    finishes: tuple[str, ...],
    styles: str,
    price: float,
    view: str = "stand",
) -> Family:
    pairs = [tuple(pair.split("/")) for pair in styles.split("; ")]
    three = ((pairs[0][0], pairs[0][1]), (pairs[1][0], pairs[1][1]), (pairs[2][0], pairs[2][1]))
    return Family(
        key, names[0], names[1], (shelf[0], shelf[1]), (shelf[2], shelf[3]), build, finishes, three, price, view
    )


_ALL = [
    _family("mug", ("mug", "马克杯"), (_TABLE, "Mugs", _TABLE_ZH, "马克杯"), tableware.mug, CERAMIC,
            "straight/直筒; rounded/圆肚; tapered/敞口", 14),
    _family("tumbler", ("drinking glass", "玻璃杯"), (_TABLE, "Glasses", _TABLE_ZH, "玻璃杯"), tableware.tumbler,
            ("glass",),
            "straight/直身; ribbed flared/竖纹敞口; stemmed/高脚", 11),
    _family("bowl", ("bowl", "碗"), (_TABLE, "Bowls", _TABLE_ZH, "碗"), tableware.bowl, (*CERAMIC, "wood"),
            "deep round/深圆; wide shallow/浅口大; footed/高足", 19),
    _family("plate", ("plate", "盘子"), (_TABLE, "Plates", _TABLE_ZH, "盘子"), tableware.plate, CERAMIC,
            "coupe/无边圆; broad-rimmed/宽边; scalloped/花边", 17, "flat"),
    _family("teapot", ("teapot", "茶壶"), (_TABLE, "Teapots", _TABLE_ZH, "茶壶"), tableware.teapot, (*CERAMIC,
            "enamel"),
            "round/圆形; tall/高身; low wooden-handled/矮款木提梁", 42),
    _family("jug", ("jug", "水壶"), (_TABLE, "Jugs", _TABLE_ZH, "水壶"), tableware.jug, (*CERAMIC, "enamel"),
            "bellied/大肚; straight/直身; slender/细长", 34),
    _family("bottle", ("carafe", "玻璃瓶"), (_TABLE, "Carafes", _TABLE_ZH, "玻璃瓶"), tableware.bottle, ("glass",),
            "long-necked/长颈; teardrop/水滴形; stoppered/木塞", 26),
    _family("pan", ("pan", "平底锅"), (_KITCHEN, "Pans", _KITCHEN_ZH, "平底锅"), tableware.pan, ("enamel", "metal"),
            "frying/煎炒; small sauce/小奶锅; deep wooden-handled/木柄深型", 49),
    _family("casserole", ("casserole", "炖锅"), (_KITCHEN, "Casseroles", _KITCHEN_ZH, "炖锅"), tableware.casserole,
            ("enamel", "glazed"), "tall/高身; low/浅身; rounded/圆身", 89),
    _family("canister", ("storage jar", "储物罐"), (_KITCHEN, "Storage jars", _KITCHEN_ZH, "储物罐"),
            tableware.canister,
            CERAMIC, "wooden-lidded/木盖; rounded/圆身; squat/矮款", 24),
    _family("board", ("chopping board", "砧板"), (_KITCHEN, "Boards", _KITCHEN_ZH, "砧板"), tableware.board, ("wood",),
            "rectangular/长方形; round/圆形; paddle/带柄", 32),
    _family("vase", ("vase", "花瓶"), (_DECOR, "Vases", _DECOR_ZH, "花瓶"), decor.vase, (*CERAMIC, "glass"),
            "round narrow-necked/圆腹细颈; tall slim/细高; fluted cylinder/竖棱圆筒", 38),
    _family("candle-holder", ("candle holder", "烛杯"), (_DECOR, "Candle holders", _DECOR_ZH, "烛台"),
            decor.candle_holder,
            (*CERAMIC, "metal"), "cup-shaped/杯形; ring-handled dish/带环碟形; ball-shaped/球形", 18),
    _family("candlestick", ("candlestick", "烛台"), (_DECOR, "Candlesticks", _DECOR_ZH, "烛台"), decor.candlestick,
            ("metal", "wood", "painted"), "turned/车旋; slender/纤细; beaded/串珠形", 29),
    _family("clock", ("wall clock", "挂钟"), (_DECOR, "Clocks", _DECOR_ZH, "挂钟"), decor.clock, ("painted", "wood"),
            "slim round/薄款圆形; deep-rimmed round/深边圆形; square/方形", 45, "wall"),
    _family("frame", ("picture frame", "相框"), (_DECOR, "Frames", _DECOR_ZH, "相框"), decor.frame, FURNITURE,
            "portrait/竖版; square/方形; landscape/横版", 27, "wall"),
    _family("mirror", ("wall mirror", "壁镜"), (_DECOR, "Mirrors", _DECOR_ZH, "镜子"), decor.mirror,
            ("metal", "painted", "wood"),
            "round/圆形; arched/拱形; rectangular/长方形", 79, "wall"),
    _family("tray", ("tray", "托盘"), (_TABLE, "Trays", _TABLE_ZH, "托盘"), decor.tray, ("wood", "lacquer", "metal"),
            "round/圆形; brass-handled oblong/铜把手长形; square-cornered/方角", 36, "flat"),
    _family("planter", ("plant pot", "花盆"), (_DECOR, "Plant pots", _DECOR_ZH, "花盆"), decor.planter, CERAMIC,
            "tapered/锥形; rounded/圆形; wooden-legged/木脚", 33),
    _family("lantern", ("lantern", "风灯"), (_LIGHT, "Lanterns", _LIGHT_ZH, "风灯"), decor.lantern, ("lacquer",
            "metal"),
            "square-posted/四柱; round barred/圆柱栏; low square/矮方", 44),
    _family("table-lamp", ("table lamp", "台灯"), (_LIGHT, "Table lamps", _LIGHT_ZH, "台灯"), decor.table_lamp,
            ("glazed", "lacquer", "metal"), "bulbous-footed/鼓形底座; slim-stemmed/细杆; mushroom/蘑菇", 75),
    _family("pendant-lamp", ("pendant lamp", "吊灯"), (_LIGHT, "Pendant lamps", _LIGHT_ZH, "吊灯"), decor.pendant_lamp,
            ("lacquer", "metal"), "dome/穹顶; bell/钟形; globe/球形", 92, "hang"),
    _family("floor-lamp", ("floor lamp", "落地灯"), (_LIGHT, "Floor lamps", _LIGHT_ZH, "落地灯"), furniture.floor_lamp,
            ("wood", "lacquer", "metal"), "tripod/三脚; straight-stemmed/直杆; arc/弧形", 149),
    _family("stool", ("stool", "凳子"), (_ROOM, "Stools", _ROOM_ZH, "凳子"), furniture.stool, FURNITURE,
            "three-legged round/三脚圆; tall ringed/带圈高脚; thick square-seated/厚座方", 69),
    _family("chair", ("chair", "椅子"), (_ROOM, "Chairs", _ROOM_ZH, "椅子"), furniture.chair, ("wood", "painted",
            "fabric"),
            "curved-back/弯背; spindle-back/温莎; padded high-back/高背", 129),
    _family("side-table", ("side table", "边几"), (_ROOM, "Side tables", _ROOM_ZH, "边几"), furniture.side_table,
            ("wood", "lacquer"), "three-legged round/三脚圆; pedestal/独脚; square two-tier/双层方", 99),
    _family("bench", ("bench", "长凳"), (_ROOM, "Benches", _ROOM_ZH, "长凳"), furniture.bench, FURNITURE,
            "plank-seated/木板; panel-ended/板脚; thick-seated brass-legged/厚座铜脚", 139),
    _family("shelf", ("shelf unit", "置物架"), (_ROOM, "Shelves", _ROOM_ZH, "置物架"), furniture.shelf, FURNITURE,
            "open/开放式; cube-grid/九宫格; slim black-framed/黑框窄", 169),
    _family("cushion", ("cushion", "抱枕"), (_SOFT, "Cushions", _SOFT_ZH, "抱枕"), furniture.cushion, ("fabric",
            "wool"),
            "square/方形; oblong/长方形; round buttoned/圆形带扣", 25),
    _family("rug", ("rug", "地毯"), (_SOFT, "Rugs", _SOFT_ZH, "地毯"), furniture.rug, ("wool", "fabric"),
            "fringed/流苏; round/圆形; runner/走廊长条", 119, "flat"),
    _family("pouf", ("pouf", "坐墩"), (_SOFT, "Poufs", _SOFT_ZH, "坐墩"), furniture.pouf, ("wool", "fabric"),
            "soft round/软圆; drum/鼓形; pleated/褶皱", 85),
    _family("basket", ("basket", "篮子"), (_STORE, "Baskets", _STORE_ZH, "篮子"), furniture.basket, ("wicker",),
            "two-eared round/双耳圆; tapered/锥形; bow-handled/提梁", 31),
    _family("box", ("lidded box", "带盖盒"), (_STORE, "Boxes", _STORE_ZH, "盒子"), furniture.lidded_box,
            ("painted", "wood", "linen"), "oblong/长方形; brass-knobbed cube/铜钮方形; round/圆形", 28),
]  # fmt: skip

FAMILIES: dict[str, Family] = {family.key: family for family in _ALL}
