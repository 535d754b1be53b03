"""What is not wanted is taken out of a text, in English and in the orders in which Chinese says it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query.intent import AVOID, parse_text, text_terms
from search.query.terms import TextTerm

CHINESE = [
    # the usual order: not, what, 的, the thing
    ("不要条纹的杯子", "杯子", ["条纹"]),
    ("不带把手的杯子", "杯子", ["把手"]),
    ("不要条纹的蓝色盘子", "蓝色盘子", ["条纹"]),
    ("没有花纹的盘子", "盘子", ["花纹"]),
    ("没花纹的盘子", "盘子", ["花纹"]),
    ("无把手的杯子", "杯子", ["把手"]),
    ("不是红色的杯子", "杯子", ["红色"]),
    ("并非红色的杯子", "杯子", ["红色"]),
    ("非红色的杯子", "杯子", ["红色"]),
    ("别要条纹的杯子", "杯子", ["条纹"]),
    ("不想要条纹的杯子", "杯子", ["条纹"]),
    ("不含酒精的饮料", "饮料", ["酒精"]),
    ("不喜欢红色的裙子", "裙子", ["红色"]),
    ("不要带盖子的蓝色的杯子", "蓝色的杯子", ["盖子"]),
    ("不要有机的棉布", "棉布", ["有机"]),
    ("不太花的连衣裙", "连衣裙", ["花"]),
    ("不要太花的连衣裙", "连衣裙", ["花"]),
    ("不要不锈钢的杯子", "杯子", ["不锈钢"]),
    ("不要无线的鼠标", "鼠标", ["无线"]),
    ("不带把手 的 杯子", "杯子", ["把手"]),
    ("杯子 不要 红色", "杯子", ["红色"]),
    ("不要 红色 的 杯子", "杯子", ["红色"]),
    ("连衣裙 不要 长袖 和 花", "连衣裙", ["长袖", "花"]),
    ("不要nike的鞋", "鞋", ["nike"]),
    ("鞋 不要 nike", "鞋", ["nike"]),
    # 除了
    ("除了红色的杯子", "杯子", ["红色"]),
    ("除了红色以外的杯子", "杯子", ["红色"]),
    ("除红色以外的杯子", "杯子", ["红色"]),
    ("除红色之外的杯子", "杯子", ["红色"]),
    ("除了红色，其他的杯子", "其他的杯子", ["红色"]),
    ("除了红色的其他杯子", "杯子", ["红色"]),
    ("杯子 除了红色都可以", "杯子", ["红色"]),
    ("除红色外的杯子", "杯子", ["红色"]),
    ("排除红色的杯子", "杯子", ["红色"]),
    ("除了红色和蓝色的杯子", "杯子", ["红色", "蓝色"]),
    # several
    ("不要条纹也不要圆点的杯子", "杯子", ["条纹", "圆点"]),
    ("既不要条纹也不要圆点的杯子", "杯子", ["条纹", "圆点"]),
    ("不带把手且没有花纹的杯子", "杯子", ["把手", "花纹"]),
    ("不要红色和蓝色的杯子", "杯子", ["红色", "蓝色"]),
    ("不要红色的和蓝色的杯子", "杯子", ["红色", "蓝色"]),
    ("不要红色、蓝色的杯子", "杯子", ["红色", "蓝色"]),
    ("不要红色或者蓝色的杯子", "杯子", ["红色", "蓝色"]),
    ("不要和服的料子", "料子", ["和服"]),
    # the thing first
    ("灯 不要红色", "灯", ["红色"]),
    ("蓝色盘子 不要条纹", "蓝色盘子", ["条纹"]),
    ("蓝色盘子，不要条纹", "蓝色盘子", ["条纹"]),
    ("蓝色盘子,不要条纹的", "蓝色盘子", ["条纹"]),
    ("红色连衣裙 不要花的", "红色连衣裙", ["花"]),
    ("杯子不要红色", "杯子", ["红色"]),
    ("杯子不带把", "杯子", ["把"]),
    ("杯子，不要红色和蓝色的", "杯子", ["红色", "蓝色"]),
    ("红色杯子不要条纹的", "红色杯子", ["条纹"]),
    # without 的 the glossary tells the thing
    ("不要条纹杯子", "杯子", ["条纹"]),
    ("无把手杯子", "杯子", ["把手"]),
    ("非红色杯子", "杯子", ["红色"]),
    # traditional characters
    ("沒有花紋的盤子", "盤子", ["花紋"]),
    ("無把手的杯子", "杯子", ["把手"]),
    ("不帶把手的杯子", "杯子", ["把手"]),
    ("別要條紋的杯子", "杯子", ["條紋"]),
    ("有沒有不帶把手的杯子", "杯子", ["把手"]),
    # said around it
    ("我不要条纹的杯子", "杯子", ["条纹"]),
    ("有没有不带把手的杯子", "杯子", ["把手"]),
    ("给我不要条纹的杯子", "杯子", ["条纹"]),
    # nothing else is wanted
    ("不要条纹的", "", ["条纹"]),
    ("没有花纹的", "", ["花纹"]),
    ("不是红色的", "", ["红色"]),
    ("非红色的", "", ["红色"]),
    ("不要太花的", "", ["花"]),
    ("不要红色和蓝色的", "", ["红色", "蓝色"]),
    ("除了红色都可以", "", ["红色"]),
]
NO_NEGATION = [
    "无印良品 杯子",
    "不锈钢杯子",
    "不锈钢的杯子",
    "不粘锅",
    "不沾平底锅",
    "无线鼠标",
    "无线的鼠标",
    "无糖饼干",
    "无袖连衣裙",
    "無袖連衣裙",
    "非洲菊",
    "非常漂亮的杯子",
    "没食子",
    "除湿机",
    "除尘刷",
    "不倒翁",
    "别针",
    "有没有红色的杯子",
    "是不是红色的杯子",
    "和服",
    "无人机",
    "no iron shirt",
    "No 7 cream",
    "sugar free cake",
    "dress free size",
    "thistle",
    "knot",
    "nonpareil",
    "free standing lamp",
    "hands-free",
    "non-stick",
    "不要",
    "排除法",
    "teapot with or without lid",
]
ENGLISH = [
    ("mug without handle", "mug", ["handle"]),
    ("mug without a handle", "mug", ["handle"]),
    ("mug without any handle", "mug", ["handle"]),
    ("mug w/o handle", "mug", ["handle"]),
    ("mug not in red", "mug", ["red"]),
    ("mug, no stripes", "mug", ["stripes"]),
    ("mug but not red", "mug", ["red"]),
    ("mug but no stripes", "mug", ["stripes"]),
    ("not striped mug", "mug", ["striped"]),
    ("not red or blue mug", "mug", ["red", "blue"]),
    ("red dress not floral or striped", "red dress", ["floral", "striped"]),
    ("mugs except red", "mugs", ["red"]),
    ("mugs except for red and blue", "mugs", ["red", "blue"]),
    ("mugs excluding red", "mugs", ["red"]),
    ("mugs other than red", "mugs", ["red"]),
    ("anything but red", "", ["red"]),
    ("all but red mugs", "mugs", ["red"]),
    ("mug that is not red", "mug", ["red"]),
    ("mug that isn't red", "mug", ["red"]),
    ("teapot that doesn't have an infuser", "teapot", ["infuser"]),
    ("teapot with no infuser", "teapot", ["infuser"]),
    ("lamp (not red)", "lamp", ["red"]),
    ("mug without handle with lid", "mug with lid", ["handle"]),
    ("mug without handle in blue", "mug in blue", ["handle"]),
    ("mug without handle for kids", "mug for kids", ["handle"]),
    ("plate not made in china", "plate", ["made in china"]),
    ("non-stick pan", "pan", ["stick"]),
    ("non stick pan", "pan", ["stick"]),
    ("non slip mat", "mat", ["slip"]),
    ("sugar-free chocolate", "chocolate", ["sugar"]),
    ("gluten-free bread not white", "bread", ["white", "gluten"]),
    ("Mug Without Handle", "Mug", ["Handle"]),
    ("not red", "", ["red"]),
    ("this, not dark blue", "", ["dark blue"]),
]


@pytest.mark.parametrize(("words", "wanted", "unwanted"), CHINESE + ENGLISH)
def test_what_is_not_wanted_is_taken_out(words, wanted, unwanted):
    parsed = parse_text(words)
    assert (parsed.wanted, sorted(parsed.unwanted)) == (wanted, sorted(unwanted))


@pytest.mark.parametrize("words", NO_NEGATION)
def test_a_word_that_only_looks_like_a_negation_stays(words):
    parsed = parse_text(words)
    assert (parsed.wanted, parsed.unwanted) == (words, ())


def test_words_that_only_exclude_exclude():
    # They were searched for as they stand before, which showed red things to shoppers who want none.
    assert text_terms("不是红色的")[0] == [TextTerm("红色", AVOID)]
    assert text_terms("not red")[0] == [TextTerm("red", AVOID)]


_SPACES = re.compile(r"\s")
PIECES = [
    "不要",
    "不带",
    "没有",
    "無",
    "非",
    "除了",
    "以外",
    "别要",
    "的",
    "和",
    "、",
    "也",
    "红色",
    "条纹",
    "把手",
    "杯子",
    "有",
    "太",
    "不锈钢",
    "无印良品",
    "mug",
    "not",
    "without",
    "except",
    "non-",
    "-free",
    "no",
    ",",
    "。",
    "red",
    "stripes",
]


@given(st.lists(st.sampled_from([*PIECES, " ", " "]), max_size=14).map("".join))
def test_all_words_come_from_the_text(words):
    parsed = parse_text(words)
    assert all(parsed.unwanted)
    for part in (parsed.wanted, *parsed.unwanted):
        at = 0
        for piece in part.split():  # in their order
            found = _SPACES.sub("", words).find(piece, at)
            assert found >= 0, (piece, words)
            at = found + len(piece)


@given(st.text(alphabet="不要没有无非除了以外的和也红条杯 ,a", max_size=40))
def test_any_text_can_be_read(words):
    assert all(parse_text(words).unwanted)
