"""What a German, French, Spanish or Japanese text says is not wanted."""

import pytest

from search.query.intent import parse_text

NEGATED = [
    ("rote Tasse ohne Henkel", "rote Tasse", ["Henkel"]),
    ("Becher ohne Henkel und mit Deckel", "Becher und mit Deckel", ["Henkel"]),
    ("Teller außer weiß oder schwarz", "Teller", ["weiß", "schwarz"]),
    ("keine gestreifte Tasse", "Tasse", ["gestreifte"]),
    ("Kleid ohne Ärmel", "Kleid ohne Ärmel", []),
    ("nicht rot", "", ["rot"]),
    ("pas rayé", "", ["rayé"]),
    ("tasse sans anse en céramique", "tasse en céramique", ["anse"]),
    ("coussin sauf rouge et bleu", "coussin", ["rouge", "bleu"]),
    ("assiette qui n'est pas blanche", "assiette qui", ["blanche"]),
    ("jarrón que no sea azul", "jarrón", ["azul"]),
    ("cojín sin rayas ni lunares", "cojín", ["rayas", "lunares"]),
    ("taza no roja", "taza", ["roja"]),
    ("Stuhl nicht aus Holz", "Stuhl", ["Holz"]),
    ("Vase weder blau noch rot", "Vase", ["blau", "rot"]),
    ("vase ni bleu ni rouge", "vase", ["bleu", "rouge"]),
    ("jarrón ni azul ni rojo", "jarrón", ["azul", "rojo"]),
    ("赤以外のマグカップ", "マグカップ", ["赤"]),
    ("ストライプではないクッション", "クッション", ["ストライプ"]),
    ("取っ手のないカップ", "カップ", ["取っ手"]),
    ("sans serif poster", "sans serif poster", []),
    ("Sin City T-shirt", "Sin City T-shirt", []),
]


@pytest.mark.parametrize(("text", "wanted", "unwanted"), NEGATED)
def test_what_is_not_wanted(text, wanted, unwanted):
    parsed = parse_text(text)
    assert (parsed.wanted, list(parsed.unwanted)) == (wanted, unwanted)


@pytest.mark.parametrize(
    ("text", "wanted", "cheaper", "in_stock"),
    [
        ("tasse pas chère", "tasse", False, False),
        ("günstige Stühle auf Lager", "Stühle", False, True),
        ("wie dieses, aber blau", "blau", False, False),
        ("como este, pero más barato", "", True, False),
        ("在庫ありの皿", "皿", False, True),
    ],
)
def test_price_and_stock_in_words(text, wanted, cheaper, in_stock):
    parsed = parse_text(text)
    assert (parsed.wanted, parsed.cheaper, parsed.in_stock) == (wanted, cheaper, in_stock)
