"""Define the product families: shapes, finishes, categories and words for the styles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.sample.generator.shapes import decor, furniture, tableware
from catalog.sample.generator.shapes.tableware import Part, Rng

CERAMIC = ("glazed", "matte")
FURNITURE = ("wood", "painted")
Bilingual = tuple[str, str]  # in English and Chinese


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
    styles: tuple[Bilingual, Bilingual, Bilingual]
    price: float
    view: str = "stand"


_TABLE, _TABLE_ZH = "Tableware", "餐具"
_KITCHEN, _KITCHEN_ZH = "Kitchen", "厨房用品"
_DECOR, _DECOR_ZH = "Decoration", "家居装饰"
_LIGHT, _LIGHT_ZH = "Lighting", "灯具"
_ROOM, _ROOM_ZH = "Furniture", "家具"
_SOFT, _SOFT_ZH = "Textiles", "家纺"
_STORE, _STORE_ZH = "Storage", "收纳"


def _styles(text: str) -> tuple[Bilingual, Bilingual, Bilingual]:
    """Read "straight/直筒; rounded/圆肚; tapered/敞口"."""
    (a, b), (c, d), (e, f) = (pair.split("/") for pair in text.split("; "))
    return (a, b), (c, d), (e, f)


_ALL = [
    Family("mug", "mug", "马克杯", (_TABLE, "Mugs"), (_TABLE_ZH, "马克杯"), tableware.mug, CERAMIC,
           _styles("straight/直筒; rounded/圆肚; tapered/敞口"), 14),
    Family("tumbler", "drinking glass", "玻璃杯", (_TABLE, "Glasses"), (_TABLE_ZH, "玻璃杯"), tableware.tumbler,
           ("glass",),
           _styles("straight/直身; ribbed flared/竖纹敞口; stemmed/高脚"), 11),
    Family("bowl", "bowl", "碗", (_TABLE, "Bowls"), (_TABLE_ZH, "碗"), tableware.bowl, (*CERAMIC, "wood"),
           _styles("deep round/深圆; wide shallow/浅口大; footed/高足"), 19),
    Family("plate", "plate", "盘子", (_TABLE, "Plates"), (_TABLE_ZH, "盘子"), tableware.plate, CERAMIC,
           _styles("coupe/无边圆; broad-rimmed/宽边; scalloped/花边"), 17, "flat"),
    Family("teapot", "teapot", "茶壶", (_TABLE, "Teapots"), (_TABLE_ZH, "茶壶"), tableware.teapot, (*CERAMIC,
           "enamel"),
           _styles("round/圆形; tall/高身; low wooden-handled/矮款木提梁"), 42),
    Family("jug", "jug", "水壶", (_TABLE, "Jugs"), (_TABLE_ZH, "水壶"), tableware.jug, (*CERAMIC, "enamel"),
           _styles("bellied/大肚; straight/直身; slender/细长"), 34),
    Family("bottle", "carafe", "玻璃瓶", (_TABLE, "Carafes"), (_TABLE_ZH, "玻璃瓶"), tableware.bottle, ("glass",),
           _styles("long-necked/长颈; teardrop/水滴形; stoppered/木塞"), 26),
    Family("pan", "pan", "平底锅", (_KITCHEN, "Pans"), (_KITCHEN_ZH, "平底锅"), tableware.pan, ("enamel", "metal"),
           _styles("frying/煎炒; small sauce/小奶锅; deep wooden-handled/木柄深型"), 49),
    Family("casserole", "casserole", "炖锅", (_KITCHEN, "Casseroles"), (_KITCHEN_ZH, "炖锅"), tableware.casserole,
           ("enamel", "glazed"), _styles("tall/高身; low/浅身; rounded/圆身"), 89),
    Family("canister", "storage jar", "储物罐", (_KITCHEN, "Storage jars"), (_KITCHEN_ZH, "储物罐"),
           tableware.canister,
           CERAMIC, _styles("wooden-lidded/木盖; rounded/圆身; squat/矮款"), 24),
    Family("board", "chopping board", "砧板", (_KITCHEN, "Boards"), (_KITCHEN_ZH, "砧板"), tableware.board, ("wood",),
           _styles("rectangular/长方形; round/圆形; paddle/带柄"), 32),
    Family("vase", "vase", "花瓶", (_DECOR, "Vases"), (_DECOR_ZH, "花瓶"), decor.vase, (*CERAMIC, "glass"),
           _styles("round narrow-necked/圆腹细颈; tall slim/细高; fluted cylinder/竖棱圆筒"), 38),
    Family("candle-holder", "candle holder", "烛杯", (_DECOR, "Candle holders"), (_DECOR_ZH, "烛台"),
           decor.candle_holder,
           (*CERAMIC, "metal"), _styles("cup-shaped/杯形; ring-handled dish/带环碟形; ball-shaped/球形"), 18),
    Family("candlestick", "candlestick", "烛台", (_DECOR, "Candlesticks"), (_DECOR_ZH, "烛台"), decor.candlestick,
           ("metal", "wood", "painted"), _styles("turned/车旋; slender/纤细; beaded/串珠形"), 29),
    Family("clock", "wall clock", "挂钟", (_DECOR, "Clocks"), (_DECOR_ZH, "挂钟"), decor.clock, ("painted", "wood"),
           _styles("slim round/薄款圆形; deep-rimmed round/深边圆形; square/方形"), 45, "wall"),
    Family("frame", "picture frame", "相框", (_DECOR, "Frames"), (_DECOR_ZH, "相框"), decor.frame, FURNITURE,
           _styles("portrait/竖版; square/方形; landscape/横版"), 27, "wall"),
    Family("mirror", "wall mirror", "壁镜", (_DECOR, "Mirrors"), (_DECOR_ZH, "镜子"), decor.mirror,
           ("metal", "painted", "wood"),
           _styles("round/圆形; arched/拱形; rectangular/长方形"), 79, "wall"),
    Family("tray", "tray", "托盘", (_TABLE, "Trays"), (_TABLE_ZH, "托盘"), decor.tray, ("wood", "lacquer", "metal"),
           _styles("round/圆形; brass-handled oblong/铜把手长形; square-cornered/方角"), 36, "flat"),
    Family("planter", "plant pot", "花盆", (_DECOR, "Plant pots"), (_DECOR_ZH, "花盆"), decor.planter, CERAMIC,
           _styles("tapered/锥形; rounded/圆形; wooden-legged/木脚"), 33),
    Family("lantern", "lantern", "风灯", (_LIGHT, "Lanterns"), (_LIGHT_ZH, "风灯"), decor.lantern, ("lacquer",
           "metal"),
           _styles("square-posted/四柱; round barred/圆柱栏; low square/矮方"), 44),
    Family("table-lamp", "table lamp", "台灯", (_LIGHT, "Table lamps"), (_LIGHT_ZH, "台灯"), decor.table_lamp,
           ("glazed", "lacquer", "metal"), _styles("bulbous-footed/鼓形底座; slim-stemmed/细杆; mushroom/蘑菇"), 75),
    Family("pendant-lamp", "pendant lamp", "吊灯", (_LIGHT, "Pendant lamps"), (_LIGHT_ZH, "吊灯"), decor.pendant_lamp,
           ("lacquer", "metal"), _styles("dome/穹顶; bell/钟形; globe/球形"), 92, "hang"),
    Family("floor-lamp", "floor lamp", "落地灯", (_LIGHT, "Floor lamps"), (_LIGHT_ZH, "落地灯"), furniture.floor_lamp,
           ("wood", "lacquer", "metal"), _styles("tripod/三脚; straight-stemmed/直杆; arc/弧形"), 149),
    Family("stool", "stool", "凳子", (_ROOM, "Stools"), (_ROOM_ZH, "凳子"), furniture.stool, FURNITURE,
           _styles("three-legged round/三脚圆; tall ringed/带圈高脚; thick square-seated/厚座方"), 69),
    Family("chair", "chair", "椅子", (_ROOM, "Chairs"), (_ROOM_ZH, "椅子"), furniture.chair, ("wood", "painted",
           "fabric"),
           _styles("curved-back/弯背; spindle-back/温莎; padded high-back/高背"), 129),
    Family("side-table", "side table", "边几", (_ROOM, "Side tables"), (_ROOM_ZH, "边几"), furniture.side_table,
           ("wood", "lacquer"), _styles("three-legged round/三脚圆; pedestal/独脚; square two-tier/双层方"), 99),
    Family("bench", "bench", "长凳", (_ROOM, "Benches"), (_ROOM_ZH, "长凳"), furniture.bench, FURNITURE,
           _styles("plank-seated/木板; panel-ended/板脚; thick-seated brass-legged/厚座铜脚"), 139),
    Family("shelf", "shelf unit", "置物架", (_ROOM, "Shelves"), (_ROOM_ZH, "置物架"), furniture.shelf, FURNITURE,
           _styles("open/开放式; cube-grid/九宫格; slim black-framed/黑框窄"), 169),
    Family("cushion", "cushion", "抱枕", (_SOFT, "Cushions"), (_SOFT_ZH, "抱枕"), furniture.cushion, ("fabric",
           "wool"),
           _styles("square/方形; oblong/长方形; round buttoned/圆形带扣"), 25),
    Family("rug", "rug", "地毯", (_SOFT, "Rugs"), (_SOFT_ZH, "地毯"), furniture.rug, ("wool", "fabric"),
           _styles("fringed/流苏; round/圆形; runner/走廊长条"), 119, "flat"),
    Family("pouf", "pouf", "坐墩", (_SOFT, "Poufs"), (_SOFT_ZH, "坐墩"), furniture.pouf, ("wool", "fabric"),
           _styles("soft round/软圆; drum/鼓形; pleated/褶皱"), 85),
    Family("basket", "basket", "篮子", (_STORE, "Baskets"), (_STORE_ZH, "篮子"), furniture.basket, ("wicker",),
           _styles("two-eared round/双耳圆; tapered/锥形; bow-handled/提梁"), 31),
    Family("box", "lidded box", "带盖盒", (_STORE, "Boxes"), (_STORE_ZH, "盒子"), furniture.lidded_box,
           ("painted", "wood", "linen"), _styles("oblong/长方形; brass-knobbed cube/铜钮方形; round/圆形"), 28),
]  # fmt: skip

FAMILIES: dict[str, Family] = {family.key: family for family in _ALL}
