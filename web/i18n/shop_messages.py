"""Every word that the pages say by themselves, in English and Chinese. What the feed says is not here."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH, CHINESE = "en", "zh"
LANGUAGES: Mapping[str, str] = {ENGLISH: "English", CHINESE: "中文"}

_PAGE: dict[str, tuple[str, str]] = {
    "skip": ("Skip to the products", "跳到商品"),
    "shop_search": ("Search the shop", "搜索商店"),
    "language": ("Language", "语言"),
    "drop": ("Drop the picture to search with it", "松开即可用这张图片搜索"),
    "camera": ("Camera", "相机"),
    "take": ("Take the photo", "拍摄"),
    "close": ("Close", "关闭"),
    "search": ("Search", "搜索"),
    "words": ("Words to search for", "搜索词"),
    "words_hint": ("Search with words, a photo, or both", "用文字、照片或两者一起搜索"),
    "more_words_hint": ("Add words: in green, not striped, cheaper", "再加几个词：绿色、不要条纹、更便宜"),
    "photo_only": ("Search with a photo", "用照片搜索"),
    "choose_photo": ("Choose a photo", "选择照片"),
    "take_photo": ("Take a photo", "拍照"),
    "photo": ("Photo", "照片"),
    "your_photo": ("Your photo", "您的照片"),
    "this_photo": ("This photo", "这张照片"),
    "your_search": ("Your search", "您的搜索"),
    "remove_photo": ("Remove the photo", "移除照片"),
    "start_again": ("Start again", "重新开始"),
    "search_without": ("Search without {what}", "不含“{what}”搜索"),
    "lead": ("Show it. Find it.", "拍一拍，就找到"),
    "lead_all": (
        "Search {count} products with a photo, with words, or with both."
        " Drop or paste a picture anywhere on this page.",
        "用照片、文字或两者一起，在 {count} 件商品中搜索。可将图片拖放或粘贴到页面任意位置。",
    ),
    "lead_photo": (
        "Search {count} products with a photo. Drop or paste a picture anywhere on this page.",
        "用照片在 {count} 件商品中搜索。可将图片拖放或粘贴到页面任意位置。",
    ),
    "try": ("Try", "试试"),
    "try_photos": ("No photo at hand? Search with one of these", "手边没有照片？用下面任意一张试试"),
    "from_shop": ("From the shop", "店内商品"),
    "browse": ("Browse all products", "浏览全部商品"),
    "all_products": ("All products", "全部商品"),
    "no_products": ("No products yet", "还没有商品"),
    "no_products_hint": (
        "As soon as this shop has products, they can be found here.",
        "商店有了商品，就能在这里找到。",
    ),
    "recent": ("Recently viewed", "最近看过"),
    "for_you": ("For you", "为您推荐"),
    "forget": ("Forget these", "清除记录"),
    "no_picture": ("No picture", "暂无图片"),
    "out_of_stock": ("Out of stock", "缺货"),
    "in_stock": ("In stock", "有货"),
    "score": ("Score", "匹配度"),
    "score_hint": (
        "How well this product fits what was asked for, at most 100 %.",
        "商品与搜索内容的匹配程度，最高 100%。",
    ),
    "more_like": ("More like this", "更多类似"),
    "less_like": ("Less like this", "少些这类"),
    "duplicates": ("Same thing, {count} more", "同款另有 {count} 件"),
    "like": ("Like {what}", "类似{what}"),
    "like_both": ("Like {what} and {other}", "类似{what}和{other}"),
    "plus_words": ("{what} + “{words}”", "{what} + “{words}”"),
    "quoted": ("“{words}”", "“{words}”"),
    "not_words": ("not “{words}”", "不要“{words}”"),
    "chip_like": ("like {what}", "类似 {what}"),
    "chip_unlike": ("less like {what}", "少些 {what}"),
    "asked_by": ("What is searched for", "搜索内容"),
    "exact": ("This is it", "就是它"),
    "similar": ("Similar", "相似商品"),
    "no_match": ("We don’t seem to have this. These come closest.", "店里好像没有这件商品，以下最接近。"),
    "no_match_hint": (
        "Does the photo show several things? Choose the photo again and draw the box round one of them.",
        "照片里有好几样东西？请重新选择照片，框出其中一件。",
    ),
    "read_as": ("{word} was read as “{used}”.", "“{word}”已按“{used}”搜索。"),
    "degraded": (
        "This answer is not complete: part of the search took too long.",
        "结果不完整：部分搜索超时。",
    ),
    "close_matches": ("{count} close matches", "{count} 件高度匹配"),
    "close_match": ("1 close match", "1 件高度匹配"),
    "range": ("{first}–{last}", "第 {first}–{last} 件"),
    "range_of": ("{first}–{last} of {count}", "第 {first}–{last} 件，共 {count} 件"),
    "share": ("Link to these results", "本页结果的链接"),
    "copied": ("The link is copied.", "链接已复制。"),
    "sort": ("Sort by", "排序"),
    "sort_relevance": ("Best first", "最匹配"),
    "sort_price": ("Price, low to high", "价格从低到高"),
    "sort_-price": ("Price, high to low", "价格从高到低"),
    "sort_newest": ("Newest", "最新"),
    "apply": ("Apply", "应用"),
    "filters": ("Filters", "筛选"),
    "filters_on": ("Filters ({count})", "筛选（{count}）"),
    "chosen": ("Chosen filters", "已选条件"),
    "remove_filter": ("Remove {what}", "移除{what}"),
    "clear": ("Clear all", "全部清除"),
    "more_values": ("{count} more", "另有 {count} 项"),
    "price_from": ("From", "最低"),
    "price_to": ("To", "最高"),
    "price_any": ("any", "不限"),
    "price_up_to": ("up to {most}", "{most} 以下"),
    "price_at_least": ("from {least}", "{least} 以上"),
    "price_between": ("{least} to {most}", "{least}–{most}"),
    "the_end": ("That was everything", "已经到底了"),
    "the_end_hint": ("There are no more results.", "没有更多结果了。"),
    "first_ones": ("Back to the first ones", "回到第一页"),
    "nothing": ("Nothing found", "没有找到"),
    "nothing_hint": (
        "Try fewer or other words, fewer filters, or another photo.",
        "换些词、少些筛选，或换一张照片试试。",
    ),
    "pages": ("Pages of results", "结果分页"),
    "page": ("Page {number}", "第 {number} 页"),
    "previous": ("Previous", "上一页"),
    "next": ("Next", "下一页"),
    "picture_number": ("Picture {number}", "图片 {number}"),
    "instead": ("Instead of this one", "可替代的商品"),
    "beside": ("Goes with it", "与之搭配"),
    "similar_products": ("Similar products", "相似商品"),
    "back": ("Back to the results", "返回结果"),
    "why": ("Why this result", "为什么是它"),
    "why_agrees": ("The same", "相同"),
    "why_differs": ("Different", "不同"),
    "asked_for": ("asked: {asked}", "想要：{asked}"),
    "why_where": ("What matched in the picture is bright.", "图中明亮处是匹配的部分。"),
    "why_in_yours": ("In your photo", "您的照片中"),
    "why_in_this": ("In this product’s picture", "该商品的图片中"),
    "one_moment": ("One moment", "请稍候"),
    "sorry": ("Sorry", "抱歉"),
    "to_shop": ("To the shop", "前往商店"),
    "request": ("Request {id}", "请求编号 {id}"),
    "crop": ("What to look for in your photo", "在照片中找什么"),
    "crop_hint": (
        "Drag the box around one thing, or choose a box that was found. Keys: arrows move it, Shift and arrows resize"
        " it, Escape takes the whole photo.",
        "拖动方框圈住一件东西，或点选找到的方框。键盘：方向键移动，Shift 加方向键调整大小，Esc 恢复整张照片。",
    ),
    "crop_box": (
        "Box: {left} % from the left, {top} % from the top, {width} by {height} %",
        "方框：距左 {left}%，距上 {top}%，宽 {width}%，高 {height}%",
    ),
    "whole_photo": ("Whole photo", "整张照片"),
    "thing": ("Thing {number}", "物品 {number}"),
}

_SCRIPT = {
    "your_photo": _PAGE["your_photo"],
    "copied": _PAGE["copied"],
    "crop_box": _PAGE["crop_box"],
    "thing": _PAGE["thing"],
    "too_large": ("This picture is too large. Choose a smaller one.", "图片太大，请换一张小一些的。"),
    "unreachable": (
        "The shop cannot be reached. Check the connection and try again.",
        "无法连接商店。请检查网络后重试。",
    ),
    "unanswered": (
        "The shop cannot answer at the moment. Try again later.",
        "商店暂时无法响应，请稍后再试。",
    ),
    "no_camera": ("The camera cannot be used. Choose a picture instead.", "无法使用相机，请选择图片。"),
    "found": ("{count} products shown", "显示 {count} 件商品"),
}

# What an error page says in Chinese, by status; its own words, which are English, stand below.
_ERRORS = {
    400: ("请求无法理解。", "请检查后再试。"),
    401: ("此地址需要密钥。", ""),
    403: ("此地址未开放。", ""),
    404: ("没有找到。", "请检查地址，或从首页重新搜索。"),
    405: ("此地址不接受这种请求。", ""),
    413: ("图片太大。", "请换一张小一些的。"),
    415: ("这种文件无法读取。", "请使用 JPEG、PNG、WebP、AVIF 或 GIF 图片。"),
    422: ("这个搜索无法完成。", "请换一种说法，或换一张图片。"),
    429: ("请求太频繁。", "请稍候再试。"),
    503: ("商店暂时无法响应。", "请稍后再试。"),
    504: ("搜索超时。", "请再试一次。"),
}
_ANY_ERROR = ("出了点问题。", "请再试一次。")

# Fields of products, and the engine's reasons for a hit.
_FIELDS = {
    "category": ("Category", "类别"),
    "price": ("Price", "价格"),
    "brand": ("Brand", "品牌"),
    "colour": ("Colour", "颜色"),
    "in_stock": ("Availability", "库存"),
    "material": ("Material", "材质"),
    "pattern": ("Pattern", "图案"),
    "size": ("Size", "尺码"),
    "gender": ("Gender", "性别"),
    "season": ("Season", "季节"),
    "usage": ("Usage", "用途"),
    "year": ("Year", "年份"),
    "group": ("Group", "系列"),
    "style": ("Style", "风格"),
    "weight": ("Weight", "重量"),
}
_REASONS = {
    "looks alike in shape and texture": "形状和质感相似",
    "is the same kind of thing": "是同一类东西",
    "has the same colours": "颜色相同",
    "is called something similar": "名称相近",
    "its texts hold the words": "商品文字中有这些词",
    "its picture fits the words": "图片与文字相符",
    "its title fits the words": "名称与文字相符",
}


def said(key: str, language: str, **values: object) -> str:
    """The words for a key; {names} in them are replaced. Raises KeyError for an unknown key."""
    return _PAGE[key][language == CHINESE].format(**values)


def words_in(table: Mapping[str, tuple[str, str]], language: str) -> dict[str, str]:
    """The words of a table of (English, Chinese) in that language."""
    return {name: words[language == CHINESE] for name, words in table.items()}


def script_words(language: str) -> dict[str, str]:
    """What the page's scripts may have to say."""
    return words_in(_SCRIPT, language)


def error_words(status: int) -> tuple[str, str]:
    """What an error of that status is called in Chinese, and what to do."""
    return _ERRORS.get(status, _ANY_ERROR)


def field_name(field: str, language: str) -> str:
    """A field of products for people: "attributes.made_of" is "Made of"."""
    name = field.removeprefix("attributes.").lower()
    known = _FIELDS.get("colour" if name == "color" else name)
    return known[language == CHINESE] if known else name.replace("_", " ").capitalize()


def reason(words: str, language: str) -> str:
    """One of the engine's reasons: "has the same colours (21%)"."""
    if language != CHINESE:
        return words[:1].upper() + words[1:]
    told, bracket, share = words.partition(" (")
    return f"{_REASONS.get(told, told)}{bracket and '（'}{share.replace(')', '）')}"
