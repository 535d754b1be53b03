"""The forms that captions have in each language; a form returns "" where it lacks a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from indexer.training.captions.words import Adjective, Noun, french, german, german_dative, spanish


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one caption in one language; a colour, a pattern or text that is absent is None or ""."""

    noun: Noun
    colour: Adjective | None = None
    second: Adjective | None = None
    pattern: Adjective | None = None
    material: str = ""
    ware: str = ""
    gender: str = ""

    @property
    def vague(self) -> bool:
        """Whether a caption needs the material to say enough: there is no colour."""
        return self.colour is None and bool(self.material)

    @property
    def instead(self) -> str:
        """Return the short material where it stands instead of a colour."""
        return self.ware if self.vague else ""

    def colours(self, between: str) -> str:
        """Return the colours as in a dictionary, with `between` them."""
        return between.join(colour.base for colour in (self.colour, self.second) if colour)


Form = Callable[[Wording], str]


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _de_colour(w: Wording, dative: bool = False) -> str:
    if w.colour is None or w.second is None:
        return german(w.colour, w.noun, dative) if w.colour else ""
    return f"{w.colour.base}-{german(w.second, w.noun, dative)}"


def _de_names(w: Wording) -> str:
    names = " und ".join(colour.name for colour in (w.colour, w.second) if colour)
    return f"in {names}" if names else ""


def _de_before(w: Wording) -> str:
    if w.noun.fixed or w.vague:
        return ""
    return _join(_de_colour(w), w.noun.text, w.gender and f"für {w.gender}")


def _de_in(w: Wording) -> str:
    if not w.colour:
        return ""
    return _join(w.noun.text, _de_names(w)) + (f", {w.pattern.base}" if w.pattern else "")


def _de_ware(w: Wording) -> str:
    if not w.ware or w.noun.fixed or not w.noun.text.isalpha():
        return ""
    whole = w.ware + (w.noun.text if w.ware.endswith("-") else w.noun.text.lower())
    doubled = w.ware.lower().removesuffix("-") in w.noun.text.lower()
    pattern = f", {w.pattern.base}" if w.pattern else ""
    return _join(_de_colour(w), w.noun.text if doubled else whole) + pattern


def _de_photo(w: Wording) -> str:
    if w.noun.fixed or w.vague:
        return ""
    article = "" if w.noun.plural else "einer" if w.noun.gender == "f" else "einem"
    return _join("Foto von", article, _de_colour(w, dative=True), german_dative(w.noun))


def _de_search(w: Wording) -> str:
    gender = "Unisex" if " und " in w.gender else w.gender
    return _join(gender, w.noun.text, w.colours("-"), w.instead.strip("-"))


def _de_material(w: Wording) -> str:
    return f"{w.noun.text} aus {w.material}" + (f", {w.colours('-')}" if w.colour else "") if w.material else ""


def _de_pattern(w: Wording) -> str:
    if w.pattern is None or w.noun.fixed:
        return ""
    return _join(w.colours("-"), german(w.pattern, w.noun), w.noun.text)


def _fr_colour(w: Wording) -> str:
    if w.second:  # two colours joined by "et" do not agree with the noun
        return w.colours(" et ")
    return french(w.colour, w.noun) if w.colour else ""


def _fr_pattern(w: Wording) -> str:
    return french(w.pattern, w.noun) if w.pattern else ""


def _fr_after(w: Wording) -> str:
    if w.vague:
        return ""
    return _join(w.noun.text, _fr_colour(w), _fr_pattern(w), w.gender and f"pour {w.gender}")


def _fr_ware(w: Wording) -> str:
    return _join(w.noun.text, _fr_colour(w), f"en {w.ware}") if w.ware else ""


def _fr_photo(w: Wording) -> str:
    vowel = w.noun.text[0].lower() in "aeiouhéèêâîôœ"
    article = ("d'" if vowel else "de ") if w.noun.plural else "d'une " if w.noun.gender == "f" else "d'un "
    return f"photo {article}{_join(w.noun.text, _fr_colour(w), w.instead and f'en {w.instead}')}"


def _fr_search(w: Wording) -> str:
    gender = "mixte" if " et " in w.gender else w.gender
    return _join(w.noun.text, gender, _fr_colour(w)) if gender and w.colour else ""


def _fr_de_couleur(w: Wording) -> str:
    if w.colour is None or w.second:
        return ""
    return f"{w.noun.text} de couleur {w.colour.other or w.colour.base}"


def _fr_material(w: Wording) -> str:
    return f"{w.noun.text} en {w.material}" + (f", {w.colours(' et ')}" if w.colour else "") if w.material else ""


def _fr_patterned(w: Wording) -> str:
    return _join(w.noun.text, _fr_pattern(w), _fr_colour(w)) if w.pattern else ""


def _es_colour(w: Wording) -> str:
    if w.second:
        return w.colours(" y ")
    return spanish(w.colour, w.noun) if w.colour else ""


def _es_pattern(w: Wording) -> str:
    return spanish(w.pattern, w.noun) if w.pattern else ""


def _es_after(w: Wording) -> str:
    if w.vague:
        return ""
    return _join(w.noun.text, _es_colour(w), _es_pattern(w), w.gender and f"de {w.gender}")


def _es_ware(w: Wording) -> str:
    return _join(w.noun.text, _es_colour(w), f"de {w.ware}") if w.ware else ""


def _es_photo(w: Wording) -> str:
    article = "" if w.noun.plural else "una" if w.noun.gender == "f" else "un"
    return _join("foto de", article, w.noun.text, _es_colour(w), w.instead and f"de {w.instead}")


def _es_search(w: Wording) -> str:
    gender = "unisex" if " y " in w.gender else w.gender
    return _join(w.noun.text, gender, _es_colour(w)) if gender and w.colour else ""


def _es_de_color(w: Wording) -> str:
    return f"{w.noun.text} de color {w.colour.base}" if w.colour and not w.second else ""


def _es_material(w: Wording) -> str:
    return f"{w.noun.text} de {w.material}" + (f" en {w.colours(' y ')}" if w.colour else "") if w.material else ""


def _es_patterned(w: Wording) -> str:
    names = f"en {w.colours(' y ')}" if w.colour else ""
    return _join(w.noun.text, _es_pattern(w), names) if w.pattern else ""


def _ja_colour(w: Wording) -> str:
    if w.colour is None:
        return ""
    return w.colour.other if w.colour.other and not w.second else f"{w.colours('と')}の"


def _ja_before(w: Wording) -> str:
    return "" if w.vague else f"{w.gender and w.gender + 'の'}{_ja_colour(w)}{w.noun.text}"


def _ja_of(w: Wording) -> str:
    return f"{w.colours('と')}の{w.pattern.base + 'の' if w.pattern else ''}{w.noun.text}" if w.colour else ""


def _ja_search(w: Wording) -> str:
    return _join(w.noun.text, w.colours(" "), w.instead, w.pattern.base if w.pattern else "", w.gender)


def _ja_ware(w: Wording) -> str:
    return f"{_ja_colour(w)}{w.ware}の{w.noun.text}" if w.ware else ""


def _ja_photo(w: Wording) -> str:
    return f"{_ja_colour(w)}{w.instead and w.instead + 'の'}{w.noun.text}の写真"


def _ja_material(w: Wording) -> str:
    return f"{w.material}の{w.noun.text}" + (f"、{w.colours('と')}" if w.colour else "") if w.material else ""


def _ja_gender(w: Wording) -> str:
    return _join(w.gender, w.noun.text, w.colours(" ")) if w.gender else ""


def _zh_before(w: Wording) -> str:
    return "" if w.vague else f"{w.gender}{w.colours('配')}{w.noun.text}"


def _zh_of(w: Wording) -> str:
    return f"{w.colours('配')}的{w.noun.text}" if w.colour else ""


def _zh_ware(w: Wording) -> str:
    return f"{w.colours('配')}{w.pattern.base if w.pattern else ''}{w.ware}{w.noun.text}" if w.ware else ""


def _zh_search(w: Wording) -> str:
    return _join(w.noun.text, w.colours(" "), w.instead, w.pattern.base if w.pattern else "", w.gender)


def _zh_photo(w: Wording) -> str:
    return f"{w.colours('配')}{w.instead}{w.noun.text}的照片"


def _zh_material(w: Wording) -> str:
    return f"{w.material}{w.noun.text}" + (f"，{w.colours('配')}" if w.colour else "") if w.material else ""


FORMS: Mapping[str, Sequence[Form]] = {
    "zh": (_zh_before, _zh_of, _zh_ware, _zh_search, _zh_photo, _zh_material),
    "de": (_de_before, _de_in, _de_ware, _de_photo, _de_search, _de_material, _de_pattern),
    "fr": (_fr_after, _fr_ware, _fr_photo, _fr_search, _fr_de_couleur, _fr_material, _fr_patterned),
    "es": (_es_after, _es_ware, _es_photo, _es_search, _es_de_color, _es_material, _es_patterned),
    "ja": (_ja_before, _ja_of, _ja_search, _ja_ware, _ja_photo, _ja_material, _ja_gender),
}
