"""German, French and Spanish in English words and order, by words, stems and compounds; and what was typed for each."""

import pytest

from catalog.text.glossary import GlossaryEntry
from search.language.terms import LanguageTerms
from search.query.glossary import Glossary

TERMS = {
    "de": "rot=red;Tasse=mug|cup;Kaffee=coffee;Becher=mug;Wand=wall;Regal=shelf;Küche=kitchen;Uhr=clock;Kupfer=copper;"
    "Kerzenhalter=candle holder;Bernstein=amber;Wolle=wool;Kissen=cushion;Herz=heart;Punkt=dots;dunkel=dark;blau=blue;"
    "Silber=silver;silbern=silver;Milch=milk;Kännchen=jug;Ärmel=sleeve;ohne Ärmel=sleeveless;Kleid=dress",
    "fr": "rouge=red;bleu=blue;tasse=mug|cup;café=coffee;verre=glass;eau=water;bois=wood;table basse=coffee table;"
    "petit=small;rayé=striped;coussin=cushion;canapé=sofa;pot de fleurs=plant pot;blanc=white;carreaux=checks;"
    "pichet=jug;poêle=frying pan;cuivre=copper;avec couvercle=with lid;cocotte=casserole;vert=green;bien être=wellness",
    "es": "rojo=red;azul=blue;amarillo=yellow;taza=mug|cup;café=coffee;a rayas=striped;vaso=glass;agua=water;"
    "cuenco=bowl;madera=wood;plato=plate;jarrón=vase;cojín=cushion;luz=light;moto=motorbike;para flores=for flowers",
}


def glossary(language):
    rows = (row.split("=") for row in TERMS[language].split(";"))
    entries = [GlossaryEntry(term, language, tuple(english.split("|"))) for term, english in rows]
    return Glossary((), {language: LanguageTerms(language, entries)})


READ = [
    ("de", "rote Tassen", "red mug"),
    ("de", "roter Kaffeebecher", "red coffee mug"),
    ("de", "Wandregale", "wall shelf"),
    ("de", "Küchenuhr", "kitchen clock"),
    ("de", "Wollkissen", "wool cushion"),
    ("de", "blaues Milchkännchen", "blue milk jug"),
    ("de", "blaues Milchkaennchen", "blue milk jug"),
    ("de", "dunkelblaue Tasse", "dark blue mug"),
    ("de", "bernsteinfarbenes Kissen", "amber cushion"),
    ("de", "herzförmige Tasse", "heart shaped mug"),
    ("de", "silbernes Kleid", "silver dress"),
    ("de", "Kerzenhalter aus Kupfer", "copper candle holder"),
    ("de", "Tasse mit Punkten", "mug with dots"),
    ("de", "Kleid ohne Ärmel", "dress sleeveless"),
    ("de", "ein Zwölfton Becher", "zwolfton mug"),
    ("de", "rote Tasse mit", "red mug with"),
    ("de", "ohne", "without"),
    ("fr", "tasses bleues", "blue mug"),
    ("fr", "je cherche une tasse bleue", "blue mug"),
    ("fr", "tasse à café rayée", "striped coffee mug"),
    ("fr", "verre d'eau", "water glass"),
    ("fr", "tasse rouge pour la", "red mug for"),
    ("fr", "petite table basse en bois", "small wood coffee table"),
    ("fr", "pots de fleurs blanches", "white plant pot"),
    ("fr", "coussin de canapé rouge, rayé", "red sofa cushion, striped"),
    ("fr", "cocotte verte avec couvercle", "green casserole with lid"),
    ("es", "tazas amarillas", "yellow mug"),
    ("es", "taza de café a rayas", "striped coffee mug"),
    ("es", "vaso de agua", "water glass"),
    ("es", "taza roja de", "red mug"),
    ("es", "cuenco de madera", "wood bowl"),
    ("es", "platos azules y tazas rojas", "red mug and blue plate"),
    ("es", "jarrones para flores", "vase for flowers"),
    ("es", "luces moteadas", "moteadas light"),
]


@pytest.mark.parametrize(("language", "text", "english"), READ)
def test_english_of_a_text(language, text, english):
    read = glossary(language).apply(text, language)
    assert (read.encoder_words, read.language, read.typed) == (english, language, text)


@pytest.mark.parametrize(
    ("language", "text", "english", "typed"),
    [
        ("es", "taza de café a rayas", "coffee mug", "taza de café"),
        ("es", "taza roja de café", "coffee mug", "taza café"),
        ("de", "Große Wandregale", "shelf", "Wandregale"),
        ("de", "grüne Straße, Küchenuhr", "kitchen clock", "Küchenuhr"),
        ("fr", "tasses bleues", "blue", "bleues"),
        ("fr", "tasses bleues", "green", "green"),
    ],
)
def test_what_was_typed_for_english_words(language, text, english, typed):
    assert glossary(language).apply(text, language).alignment.typed_for(english) == typed


def test_a_language_of_terms_does_not_touch_english():
    read = glossary("de").apply("red mug with dots")
    assert (read.encoder_words, read.language, read.replaced) == ("red mug with dots", "en", ())
