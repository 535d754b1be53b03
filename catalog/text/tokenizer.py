"""Normalise and tokenise text, the same way for products and queries.

Latin words lose case and accents. The index stores them as the text has them; a query looks for singular and plural.
Chinese and Japanese have no spaces: their runs become single characters and bigrams, so that words of one and two
characters are found too, which trigrams would miss.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

ANALYSIS = 1  # raise it whenever `indexed` or `code` gives other words: older catalogues are then indexed again

_HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_PLAIN = rf"[^\W_{_HAN}]+"
_TOKEN = re.compile(rf"[{_HAN}]+|\d+(?:[.,]\d+)+(?:{_PLAIN})?|{_PLAIN}(?:[-'’&]{_PLAIN})*")
_JOINT = re.compile(r"[-'’&]")
_PART = re.compile(r"[^-'’&]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_UNSPACED = re.compile(rf"[{_HAN}]")
_NOT_CODE = re.compile(r"[\W_]+")

# Only where the forms differ and shops use them. Each traditional character is followed by its simplified one.
_TRADITIONAL_AND_SIMPLIFIED = (
    "紅红 綠绿 藍蓝 黃黄 銀银 銅铜 鐵铁 鋼钢 錫锡 鋁铝 襪袜 褲裤 圍围 "
    "領领 帶带 絲丝 綢绸 緞缎 絨绒 氈毡 織织 縫缝 紋纹 條条 點点 圓圆 "
    "長长 寬宽 舊旧 雙双 單单 廚厨 櫃柜 燈灯 籃篮 籠笼 鏡镜 鐘钟 錶表 "
    "壺壶 盤盘 鍋锅 爐炉 盃杯 蓋盖 墊垫 簾帘 發发 臥卧 書书 畫画 蠟蜡 "
    "燭烛 風风 鈴铃 園园 藝艺 運运 動动 衛卫 連连 兒儿 嬰婴 無无 學学 "
    "裝装 飾饰 禮礼 貓猫 魚鱼 雞鸡 鴨鸭 麵面 飯饭 湯汤 鹽盐 醬酱 檸柠 "
    "蘋苹 葉叶 頭头 項项 鏈链 環环 貴贵 優优 質质 復复 現现 輕轻 華华 "
    "麗丽 樸朴 簡简 約约 歐欧 亞亚 漢汉 國国 際际 語语 電电 腦脑 機机 "
    "車车 輪轮 馬马 龍龙 鳳凤 鳥鸟 蟲虫 蘭兰 蓮莲 樹树 楓枫 穀谷 豐丰 "
    "產产 業业 廠厂 實实 鑲镶 編编 製制 塗涂 層层 複复 數数 幾几 圖图 "
    "樣样 內内 開开 關关 門门 傘伞 號号 碼码 與与 這这 個个 們们 來来 "
    "時时 過过 還还 會会 後后 從从 對对 於于 為为 體体 棗枣 嬌娇 駝驼 "
    "細细 寶宝 鑽钻 級级 襯衬 夾夹 針针 羅罗 邊边 檯台 臺台 擺摆 掛挂 "
    "牆墙 繪绘 塊块 紗纱 緊紧 鬆松 襠裆 涼凉 髮发 飄飘 滿满 麥麦 餅饼 "
    "蔥葱 蘿萝 蔔卜 薑姜 豬猪 蝦虾 鮮鲜 凍冻 溫温 熱热 淺浅 純纯 螢萤 "
    "膚肤 膠胶 釘钉 鈕钮 釦扣 護护 寵宠 潔洁 淨净 濕湿 乾干 藥药 粧妆 "
    "妝妆 潤润 駱骆 尋寻 買买 適适 給给 媽妈 爺爷 聖圣 誕诞 節节 親亲 "
    "訂订 飛飞 遊游 戲戏 鍊链 鐲镯 冊册 籤签 紙纸 筆笔 狀状 纖纤 維维 "
)
_TRADITIONAL = str.maketrans({pair[0]: pair[1] for pair in _TRADITIONAL_AND_SIMPLIFIED.split()})

# Plurals that no rule of `singularise` covers, and words that look like plurals.
_SINGULARS = {
    "men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth", "mice": "mouse",
    "mens": "man", "womens": "woman", "childrens": "child",
    "knives": "knife", "shelves": "shelf", "scarves": "scarf", "loaves": "loaf", "leaves": "leaf", "halves": "half",
    "tomatoes": "tomato", "potatoes": "potato", "mangoes": "mango", "movies": "movie", "cookies": "cookie",
    "brownies": "brownie", "hoodies": "hoodie", "beanies": "beanie", "ties": "tie", "pies": "pie",
    "pants": "pants", "jeans": "jeans", "trousers": "trousers", "leggings": "leggings", "tights": "tights",
    "shorts": "shorts", "briefs": "briefs", "scissors": "scissors", "tongs": "tongs", "pyjamas": "pyjamas",
    "pant": "pants", "jean": "jeans", "trouser": "trousers", "legging": "leggings", "pyjama": "pyjamas",
    "buses": "bus", "gases": "gas", "lenses": "lens", "canvases": "canvas", "cactuses": "cactus", "irises": "iris",
    "gas": "gas", "canvas": "canvas", "christmas": "christmas", "series": "series", "lens": "lens",
}  # fmt: skip
_FORMS: dict[str, list[str]] = {}
for _form, _singular in _SINGULARS.items():
    _FORMS.setdefault(_singular, [_singular]).append(_form)
_ES = ("sses", "shes", "ches", "xes")
_TAKES_ES = ("s", "x", "z", "ch", "sh")
_NO_PLURAL = ("ss", "us", "is")
_PLURAL_FROM = 4  # characters


def normalise(text: str) -> str:
    """Return `text` in lower case and usual width, without accents, traditional characters as simplified ones."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_TRADITIONAL)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", plain)))


def singularise(word: str) -> str:
    """Return the singular of a normalised English word: "shirts" -> "shirt", "dresses" -> "dress"; others unchanged."""
    if word in _SINGULARS:
        return _SINGULARS[word]
    if len(word) < _PLURAL_FROM or not word.endswith("s") or not word.isalpha() or word.endswith(_NO_PLURAL):
        return word
    if word.endswith("ies") and len(word) > _PLURAL_FROM:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(_ES) else word[:-1]


@lru_cache(maxsize=4096)
def forms(word: str) -> tuple[str, ...]:
    """Return the forms to search for with a normalised word: "shirts" -> "shirt", "shirts"."""
    singular = singularise(word)
    if singular in _FORMS:
        return tuple(dict.fromkeys(_FORMS[singular]))
    if not (singular.isascii() and singular.isalpha()) or len(singular) < _PLURAL_FROM - 1:
        return (word,)
    plural = singular + ("es" if singular.endswith(_TAKES_ES) else "s")
    if singular.endswith("y"):
        plural = singular[:-1] + "ies"
    return tuple(dict.fromkeys((singular, word, singular + "s", plural)))


def unspaced(text: str) -> bool:
    """Tell whether `text` has characters of a script that is written without spaces."""
    return _UNSPACED.search(text) is not None


def tokenise(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and piece of a normalised text; a piece is a word, or a run without spaces."""
    for match in _TOKEN.finditer(text):
        yield match.start(), match.end(), match.group()


def split_compound(piece: str) -> list[tuple[int, int, str]]:
    """Return start, end and word of each part of a compound: "t-shirts" -> "t", "shirts"; "men's" -> "men"."""
    parts = [(match.start(), match.end(), match.group()) for match in _PART.finditer(piece)]
    return parts[:-1] if len(parts) > 1 and parts[-1][2] == "s" else parts


def joined(piece: str) -> str:
    """Return a compound as one word: "t-shirts" -> "tshirts"."""
    return _JOINT.sub("", piece)


def indexed(text: str) -> Iterator[str]:
    """Yield the words under which a product's text is indexed."""
    for _, _, piece in tokenise(normalise(text)):
        if unspaced(piece):
            yield from piece
            yield from bigrams(piece)
            continue
        words = [word for _, _, word in split_compound(piece)]
        yield from words
        if len(words) > 1:
            yield joined(piece)


def bigrams(run: str) -> list[str]:
    """Return each two neighbouring characters of a run: "运动鞋" -> ["运动", "动鞋"]."""
    return [run[at : at + 2] for at in range(len(run) - 1)]


def code(text: str) -> str:
    """Return a whole value as one word, for exact matches: "WH-1000 XM4" -> "wh1000xm4"."""
    return _NOT_CODE.sub("", normalise(text))
