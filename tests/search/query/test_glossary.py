"""A shop's glossary, applied to what shoppers type."""

import pytest

from catalog.errors import BadInput
from catalog.text.glossary import GlossaryEntry
from search.language.concepts import Alternative, Concept
from search.query.glossary import MAX_REPLACEMENTS, Glossary, Replacement, Synonym

ENTRIES = (
    GlossaryEntry("红色", "zh", ("red",)),
    GlossaryEntry("深蓝色", "zh", ("navy blue", "dark blue")),
    GlossaryEntry("蓝色", "zh", ("blue",)),
    GlossaryEntry("运动鞋", "zh", ("sports shoes", "sneakers")),
    GlossaryEntry("T恤", "zh", ("t-shirt",)),
    GlossaryEntry("的", "zh", ()),
    GlossaryEntry("配", "zh", ("with",)),
    GlossaryEntry("sneakers", "en", ("sports shoes",)),
    GlossaryEntry("running shoes", "en", ("sports shoes",)),
)


@pytest.fixture
def glossary():
    return Glossary(ENTRIES)


def test_chinese_is_read_in_english_and_looked_up_in_both(glossary):
    applied = glossary.apply("红色运动鞋")
    assert applied.encoder_words == "red sports shoes"
    assert applied.concepts == (
        Concept("红色", (Alternative(("红色",)), Alternative(("red",))), in_glossary=True),
        Concept(
            "运动鞋",
            (Alternative(("运动", "动鞋")), Alternative(("sports", "shoes")), Alternative(("sneakers",), 0.8)),
            in_glossary=True,
        ),
    )
    assert applied.replaced == (
        Replacement("红色", "zh", ("red",)),
        Replacement("运动鞋", "zh", ("sports shoes", "sneakers")),
    )


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("紅色運動鞋", "red sports shoes"),
        ("深蓝色的T恤", "navy blue t-shirt"),
        ("红色 Nike 运动鞋", "red nike sports shoes"),
        ("红色神秘鞋", "red"),
        ("蓝色配红色", "blue with red"),
        ("神秘", "神秘"),
        ("Red  Shoes!", "Red  Shoes!"),
        ("Sneakers", "Sneakers"),
        ("köttbullar från IKEA", "köttbullar från IKEA"),
        ("", ""),
    ],
)
def test_what_the_encoder_reads(glossary, asked, read):
    assert glossary.apply(asked).encoder_words == read


def test_unknown_characters_are_kept_for_the_index(glossary):
    concepts = glossary.apply("红色神秘鞋").concepts
    assert concepts[1] == Concept("神秘鞋", (Alternative(("神秘", "秘鞋")),))


def test_synonyms_are_found_whatever_the_number(glossary):
    for asked in ("sneaker", "Sneakers"):
        (concept,) = glossary.apply(asked).concepts
        assert concept.alternatives[1] == Alternative(("sports", "shoes"), 0.8)
    (concept,) = glossary.apply("running-shoe").concepts
    assert concept.in_glossary


def test_compounds_are_looked_for_in_parts_and_whole(glossary):
    (concept,) = glossary.apply("rain-coat").concepts
    assert concept.alternatives == (Alternative(("rain", "coat")), Alternative(("raincoat",)))


def test_little_words_ask_for_nothing(glossary):
    assert glossary.apply("something for me with the 的配").concepts == ()


def test_a_shop_adds_entries_and_overrides_shipped_ones(tmp_path):
    shipped = Glossary.of(tmp_path)
    assert shipped.apply("红色").encoder_words == "red"
    (tmp_path / "glossary.csv").write_text(
        "term,language,replacements\n红色,zh,crimson\nchucks,shop,canvas shoes\n", encoding="utf-8"
    )
    own = Glossary.of(tmp_path)
    assert own.apply("红色").encoder_words == "crimson"
    assert own.apply("red chucks").encoder_words == "red canvas shoes"
    assert own.apply("蓝色").encoder_words == "blue"


def test_a_broken_glossary_of_a_shop_is_told(tmp_path):
    (tmp_path / "glossary.csv").write_text("term,language,replacements\nchucks\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"glossary.csv, line 2: 1 cells"):
        Glossary.of(tmp_path)


def test_the_shipped_glossary_reads_what_its_own_list_does_not_hold_as_one_term(tmp_path):
    glossary = Glossary.of(tmp_path)
    assert glossary.apply("深蓝色纯棉长袖衬衫").encoder_words == "navy blue pure cotton long sleeve shirt"
    assert glossary.apply("带流苏的米白色羊毛围巾").encoder_words == "with fringed off white wool scarf"


def names(applied):
    return [[" ".join(each.words) for each in concept.alternatives] for concept in applied.concepts]


def test_a_synonym_holds_both_ways_and_leaves_what_the_glossary_knew(glossary):
    extended = glossary.extended([Synonym("kicks", "sneakers"), Synonym("sneakers", "plimsoll")])
    assert names(extended.apply("red kicks")) == [["red"], ["kicks", "sneakers"]]
    assert names(extended.apply("sneakers")) == [["sneakers", "sports shoes", "kicks", "plimsoll"]]
    assert names(extended.apply("plimsolls")) == [["plimsolls", "sneakers"]]  # and no further: not "kicks"
    assert extended.apply("red kicks").encoder_words == "red kicks"
    assert names(glossary.apply("red kicks")) == [["red"], ["kicks"]]  # a glossary never changes


def test_a_word_that_is_meant_is_what_the_encoder_reads(glossary):
    extended = glossary.extended([Synonym("zmorg geschirr", "breakfast set", both_ways=False)])
    applied = extended.apply("Zmorg Geschirr blau")
    assert applied.encoder_words == "breakfast set blau"
    assert names(applied) == [["zmorg geschirr", "breakfast set"], ["blau"]]
    assert [(each.term, each.by) for each in applied.replaced] == [("zmorg geschirr", ("breakfast set",))]
    assert names(extended.apply("breakfast set")) == [["breakfast"], ["set"]]


def test_synonyms_in_scripts_without_spaces_are_read_in_english(glossary):
    extended = glossary.extended(
        [Synonym("跑鞋", "运动鞋"), Synonym("杯垫", "coaster"), Synonym("神秘", "秘密"), Synonym("红色", "大红", False)]
    )
    assert extended.apply("跑鞋").encoder_words == "sports shoes"
    assert "运动 动鞋" in names(extended.apply("跑鞋"))[0]
    assert extended.apply("运动鞋").encoder_words == "sports shoes" and "跑鞋" in names(extended.apply("运动鞋"))[0]
    assert extended.apply("杯垫").encoder_words == "coaster"
    assert names(extended.apply("coasters")) == [["coasters", "杯垫"]]
    assert names(extended.apply("神秘")) == [["神秘", "秘密"]]


def test_one_term_gets_no_more_synonyms_than_a_query_can_look_up(glossary):
    extended = glossary.extended(Synonym("thing", f"word{number}") for number in range(10 * MAX_REPLACEMENTS))
    assert len(names(extended.apply("thing"))[0]) == MAX_REPLACEMENTS + 1
