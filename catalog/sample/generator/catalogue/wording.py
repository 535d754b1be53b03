"""Write titles, descriptions and captions of the sample products, in English and in Chinese."""

from __future__ import annotations

import numpy as np

from catalog.sample.generator.catalogue.plan import SEED, Item
from catalog.sample.generator.shapes.materials import COLOURS, FINISHES, PATTERNS, Look

# Finishes whose colour already is the material: "walnut", "brass", "amber glass".
_NAMED = {"wood", "metal", "glass"}
_METALS = {"steel": ("brushed steel", "拉丝不锈钢"), "gunmetal": ("dark gunmetal", "深色枪灰金属")}
_WOODS = {
    "oak": ("solid oak", "实木橡木"),
    "walnut": ("solid walnut", "实木胡桃木"),
    "ash": ("pale ash wood", "浅色白蜡木"),
    "cherry": ("cherry wood", "樱桃木"),
    "ebony": ("black-stained wood", "黑色染色木"),
}


def material(look: Look) -> tuple[str, str]:
    """Return the material, in both languages."""
    if look.finish == "wood":
        return _WOODS[look.colour]
    if look.finish == "metal":
        return _METALS.get(look.colour, (COLOURS[look.colour].en, COLOURS[look.colour].zh.removesuffix("色")))
    return FINISHES[look.finish].en, FINISHES[look.finish].zh


def colours(look: Look) -> tuple[str, str]:
    """Return the colour or colours, in both languages: "sage green and ivory"."""
    first = COLOURS[look.colour]
    if look.pattern == "plain":
        return first.en, first.zh
    second = COLOURS[look.second]
    return f"{first.en} and {second.en}", f"{first.zh}配{second.zh}"


def title(item: Item) -> tuple[str, str]:
    """Return the title as the shop prints it, in both languages."""
    look, family = item.look, item.family
    (shape, shape_zh), (made, made_zh), (tint, tint_zh) = family.styles[item.style], material(look), colours(look)
    pattern, pattern_zh = (
        ("", "") if look.pattern == "plain" else (PATTERNS[look.pattern][0], PATTERNS[look.pattern][1])
    )
    if look.finish in _NAMED and look.finish != "glass":
        return f"{item.model} {shape} {family.en} in {made}", f"{item.model} {made_zh}{shape_zh}{family.zh}"
    if look.finish == "glass":
        clear = tint if tint.endswith("glass") else f"{tint} glass"
        noun = "drinking glass" if family.key == "tumbler" else family.en
        made_in = f"in {tint}" if family.key == "tumbler" else f"in {clear}"
        return f"{item.model} {shape} {noun} {made_in}", f"{item.model} {tint_zh}{shape_zh}{family.zh}"
    words = " ".join(w for w in (item.model, pattern, shape, family.en) if w)
    return f"{words}, {made}, {tint}", f"{item.model} {tint_zh}{pattern_zh}{shape_zh}{family.zh}（{made_zh}）"


_USES: dict[str, tuple[str, str]] = {
    "Tableware": ("for everyday meals and for guests", "日常用餐、待客皆宜"),
    "Kitchen": ("made for daily cooking", "适合每日下厨"),
    "Decoration": ("a quiet accent for a sideboard, shelf or wall", "点缀边柜、搁架或墙面"),
    "Lighting": ("gives a warm, soft light", "光线温暖柔和"),
    "Furniture": ("sturdy and easy to place in any room", "结实耐用，适合各种房间"),
    "Textiles": ("soft to the touch", "触感柔软"),
    "Storage": ("keeps small things together", "收纳零碎小物"),
}
_PATTERN_TEXT: dict[str, tuple[str, str]] = {
    "plain": ("Plain {first}.", "{first}纯色。"),
    "stripes": ("{First} with {second} stripes.", "{first}底，{second}条纹。"),
    "dots": ("{First} with {second} dots.", "{first}底，{second}波点。"),
    "checks": ("Checked in {first} and {second}.", "{first}与{second}相间的格子。"),
    "two-tone": ("Two-tone: {first}, one half dipped in {second}.", "双色：{first}，一端为{second}。"),
    "speckle": ("{First} with fine {second} speckles.", "{first}底，细{second}斑点。"),
}


def description(item: Item) -> tuple[str, str]:
    """Return two or three plain sentences, in both languages."""
    look, family = item.look, item.family
    first, second = COLOURS[look.colour], COLOURS[look.second]
    made, made_zh = material(look)
    shape, shape_zh = family.styles[item.style]
    width, depth, height = (round(m, 1) for m in item.measures)
    say, say_zh = _PATTERN_TEXT[look.pattern]
    use, use_zh = _USES[family.category[0]]
    article = "An" if shape[0] in "aeiou" else "A"
    en = f"{article} {shape} {family.en} of {made} by {item.brand}, {use}. "
    en += say.format(first=first.en, First=first.en.capitalize(), second=second.en)
    en += f" {width:g} x {depth:g} x {height:g} cm."
    zh = f"{item.brand} {shape_zh}{family.zh}，{made_zh}材质，{use_zh}。"
    zh += say_zh.format(first=first.zh, second=second.zh) + f"尺寸 {width:g} x {depth:g} x {height:g} 厘米。"
    return en, zh


# Shoppers' words, where they differ from the shop's.
_NOUNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mug": (("coffee cup", "tea mug", "mug"), ("咖啡杯", "水杯", "杯子")),
    "tumbler": (("glass to drink from", "water glass"), ("喝水的玻璃杯", "杯子")),
    "bowl": (("salad bowl", "serving bowl"), ("沙拉碗", "大碗")),
    "plate": (("dinner plate", "plate"), ("餐盘", "碟子")),
    "teapot": (("pot for tea", "teapot"), ("泡茶壶", "茶壶")),
    "jug": (("pitcher", "milk jug"), ("倒水壶", "奶壶")),
    "bottle": (("glass bottle", "carafe for water"), ("玻璃水瓶", "装水的瓶子")),
    "pan": (("cooking pan", "pan with a handle"), ("带柄锅", "炒锅")),
    "casserole": (("cooking pot with lid", "stew pot"), ("带盖汤锅", "炖汤锅")),
    "canister": (("kitchen jar with lid", "cookie jar"), ("带盖罐子", "密封罐")),
    "board": (("cutting board", "bread board"), ("切菜板", "面包板")),
    "vase": (("flower vase", "vase for dried flowers"), ("插花瓶", "干花花瓶")),
    "candle-holder": (("holder for a candle", "tealight holder"), ("放蜡烛的杯子", "蜡烛座")),
    "candlestick": (("tall candle stand", "stick for taper candles"), ("长蜡烛台", "高烛台")),
    "clock": (("clock for the wall", "kitchen clock"), ("墙上的钟", "时钟")),
    "frame": (("photo frame", "frame for a print"), ("照片框", "画框")),
    "mirror": (("mirror for the hallway", "hanging mirror"), ("玄关镜子", "挂墙镜子")),
    "tray": (("serving tray", "tea tray"), ("茶盘", "端菜托盘")),
    "planter": (("flower pot", "pot for a house plant"), ("绿植花盆", "种花的盆")),
    "lantern": (("candle lantern", "garden lantern"), ("蜡烛灯笼", "庭院灯笼")),
    "table-lamp": (("bedside lamp", "desk lamp"), ("床头灯", "桌灯")),
    "pendant-lamp": (("hanging lamp", "ceiling light over the table"), ("餐桌上的吊灯", "吊顶灯")),
    "floor-lamp": (("standing lamp", "tall reading lamp"), ("立灯", "客厅站灯")),
    "stool": (("small seat without back", "kitchen stool"), ("小板凳", "没有靠背的凳子")),
    "chair": (("dining chair", "chair for the table"), ("餐椅", "靠背椅")),
    "side-table": (("small coffee table", "end table"), ("小茶几", "沙发边桌")),
    "bench": (("hallway bench", "long seat"), ("换鞋凳", "长条凳")),
    "shelf": (("bookcase", "rack for books"), ("书架", "放书的架子")),
    "cushion": (("throw pillow", "sofa cushion"), ("沙发靠垫", "靠枕")),
    "rug": (("carpet", "floor mat"), ("地垫", "客厅毯子")),
    "pouf": (("footstool", "soft floor seat"), ("脚凳", "软坐凳")),
    "basket": (("woven basket", "laundry basket"), ("编织篮", "收纳篮")),
    "box": (("storage box with lid", "keepsake box"), ("收纳盒", "首饰盒")),
}  # fmt: skip
_SAYING = {
    "stripes": ("with stripes", "有条纹的"),
    "dots": ("with polka dots", "圆点的"),
    "checks": ("in a check pattern", "格纹的"),
    "two-tone": ("half and half", "上下两色的"),
    "speckle": ("with little specks", "带小斑点的"),
}
_FEEL = {
    "glazed": ("shiny", "亮面"),
    "matte": ("matte", "哑光"),
    "lacquer": ("metal", "金属"),
    "enamel": ("enamel", "珐琅"),
    "painted": ("painted", "刷漆"),
    "fabric": ("cotton", "棉"),
    "wool": ("woolly", "毛绒"),
    "wicker": ("straw", "草编"),
    "linen": ("linen", "布面"),
    "glass": ("glass", "玻璃"),
}


def captions(item: Item) -> list[tuple[str, str]]:
    """What a shopper might type who wants just this product: (query, language) pairs, unlike its title."""
    rng = np.random.default_rng([SEED, 77, *[ord(c) for c in item.id]])
    look = item.look
    nouns, nouns_zh = _NOUNS[item.family.key]
    noun, noun_zh = str(rng.choice(nouns)), str(rng.choice(nouns_zh))
    (shape, shape_zh), (tint, tint_zh) = item.family.styles[item.style], colours(look)
    made = material(look) if look.finish in ("wood", "metal") else ("", "")
    feel, feel_zh = _FEEL.get(look.finish, made)
    if made[0]:
        tint, tint_zh, feel, feel_zh = made[0].removeprefix("solid "), made[1].removeprefix("实木"), "", ""
    if feel and feel in noun:
        feel = ""
    saying, saying_zh = _SAYING.get(look.pattern, ("", ""))
    forms = [
        f"{tint} {feel} {noun} {saying}, {shape}",
        f"{shape} {noun} in {tint} {saying}",
        f"{feel} {shape} {noun} {saying} {tint}",
    ]
    en = " ".join(str(rng.choice(forms)).split()).replace(" ,", ",")
    zh = str(
        rng.choice(
            [f"{tint_zh}{saying_zh}{shape_zh}{noun_zh}", f"{shape_zh}的{noun_zh} {tint_zh} {saying_zh}{feel_zh}"]
        )
    )
    return [(en, "en"), (zh.strip(), "zh")]
