"""Which language a question is in; an English one is never taken for another."""

import pytest

from search.language.detection import language_of

QUESTIONS = {
    "de": ["rote Tassen", "Teller", "Becher ohne Henkel", "Wandregal aus Eiche", "etwas für den Balkon", "red Becher"],
    "fr": [
        "tasses rouges",
        "verre à eau",
        "mug bleu",
        "quelque chose pour la cuisine",
        "vase lilas",
        "lampe d'appoint",
        *("paniers", "plateaux", "tabouret haut"),
    ],
    "es": [
        "tazas rojas",
        "sartén",
        "vaso de agua",
        "algo para la cocina",
        "mesa de comedor",
        "espejo redondo",
        "jarras",
        "marcos",
        "cojines entre 20 y 30 €",
        "jarrones",
    ],
    "ja": ["赤いマグカップ", "花瓶をください", "グラス", "銅の鍋"],
    "zh": ["红色马克杯", "花瓶", "红色挂墙镜", "不要条纹的杯子", "紅色圍巾"],
    "en": [
        *("red mug", "vase", "pull up bar", "die cut cards", "pie dish", "frying pan", "rose", "rock"),
        *("Sin City T-shirt", "sans serif poster", "table for the kitchen", "orange", "café", "no iron shirt"),
        *("Pokémon plush", "qwrtzplm", "M", "L size", "100% cotton", "bad taste", "gift for kind people", "", "???"),
    ],
}


@pytest.mark.parametrize(("language", "text"), [(name, text) for name, texts in QUESTIONS.items() for text in texts])
def test_the_language_of_a_question(language, text):
    assert language_of(text) == language
