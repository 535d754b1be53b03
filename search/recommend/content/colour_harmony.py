"""Harmony of colours by their names: positions on Itten's colour wheel, and neutrals that suit every colour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from search.query.filters import folded

NEUTRAL = -1
POSITIONS = 12  # hues of Itten's wheel (The Art of Color, 1961): yellow 0, orange 2, red 4, violet 6, blue 8, green 10

# Harmony of colours by their distance on the wheel: equal, neighbours, ..., opposites. Our judgement, after Itten's
# chords: neighbours and opposites agree, colours three or four positions apart clash.
_HARMONY_BY_DISTANCE = (1.0, 0.9, 0.55, 0.25, 0.3, 0.5, 0.65)
_NEUTRAL_HARMONY = 0.9

_NAMES: dict[int, str] = {
    NEUTRAL: "black|white|off white|ivory|cream|ecru|eggshell|grey|gray|silver|charcoal|anthracite|slate|graphite|"
    "steel|gunmetal|metallic|nickel|chrome|pewter|beige|sand|stone|linen|oatmeal|tan|camel|khaki|taupe|nude|skin|natural|"
    "brown|chocolate|coffee|coffee brown|mushroom|mushroom brown|espresso|navy|navy blue|midnight blue|denim|indigo|"
    "gold|golden|brass|bronze|copper|champagne|wood|oak|pale ash|walnut|cherry wood|birch|pine|teak|bamboo|rattan|"
    "seagrass|clear|transparent|黑|白|灰|银|金|米|驼|棕|褐|咖啡|藏青|深蓝|透明|原木|木",
    0: "yellow|lemon|lemon yellow|黄",
    1: "mustard|mustard yellow|amber|ochre|saffron|honey|姜黄|琥珀",
    2: "orange|apricot|peach|tangerine|pumpkin|橙|橘|桃",
    3: "rust|terracotta|coral|salmon|brick|vermilion|珊瑚|陶土|铁锈",
    4: "red|scarlet|crimson|maroon|burgundy|wine|cherry|ruby|红|酒红",
    5: "pink|magenta|fuchsia|rose|blush|blush pink|hot pink|raspberry|粉|玫|洋红",
    6: "purple|violet|mauve|plum|aubergine|lilac|紫|丁香",
    7: "lavender|periwinkle|薰衣草",
    8: "blue|sky blue|ocean blue|cobalt|royal blue|azure|light blue|蓝",
    9: "teal|turquoise|turquoise blue|aqua|cyan|petrol|sea green|青|松石",
    10: "green|sage|sage green|forest green|emerald|mint|jade|绿|翡翠",
    11: "olive|olive green|lime|lime green|moss|pistachio|橄榄|青柠",
}
_POSITION = {name: position for position, names in _NAMES.items() for name in names.split("|")}
_LONGEST_FIRST = sorted(_POSITION, key=lambda name: (-len(name), name))
_ANY = re.compile(
    "|".join(rf"\b{re.escape(name)}\b" if name.isascii() else re.escape(name) for name in _LONGEST_FIRST), re.IGNORECASE
)


@lru_cache(maxsize=4096)
def colours_in(text: str) -> tuple[int, ...]:
    """Return the colours named in a text ("ivory and navy", 藏青色), each once: positions on the wheel, or NEUTRAL."""
    found = (_POSITION[match.group()] for match in _ANY.finditer(folded(text).replace("-", " ")))
    return tuple(dict.fromkeys(found))


def harmony(colours: Sequence[int], others: Sequence[int]) -> float | None:
    """Return how well two products go together by colour, 0 to 1; None when the colours of either are not known.

    Each colour is matched with the colour of the other product that suits it best, and the worst match counts: one
    clashing stripe is enough.
    """
    if not colours or not others:
        return None
    best = [max(_agreement(a, b) for b in others) for a in colours]
    best += [max(_agreement(a, b) for a in colours) for b in others]
    return min(best)


def _agreement(a: int, b: int) -> float:
    if NEUTRAL in (a, b):
        return _NEUTRAL_HARMONY
    distance = abs(a - b)
    return _HARMONY_BY_DISTANCE[min(distance, POSITIONS - distance)]
