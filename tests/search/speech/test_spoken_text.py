"""What the speech model writes becomes what somebody would type."""

import pytest

from search.speech.spoken_text import cleaned


@pytest.mark.parametrize(
    ("recognised", "language", "text"),
    [
        ("Red mug.", "en", "Red mug"),
        ("red, mug, two and a half", "en", "red mug two and a half"),
        ("a lamp of 1.5 kg, under 1,200 euros", "en", "a lamp of 1.5 kg under 1200 euros"),
        ("Becher, unter 12,50 Euro.", "de", "Becher unter 12,50 Euro"),
        ("un sofá de menos de 1.299,50 euros", "es", "un sofá de menos de 1.299,50 euros"),
        ("Ivory plate. Ivory plate", "en", "Ivory plate"),
        ("breadboard pale ash wood. breadboard pale ash", "en", "breadboard pale ash wood"),
        ("knock knock toy", "en", "knock knock toy"),
        ("紅色的茶壺。", "zh", "红色的茶壶"),
        ("藍色 花瓶", "zh", "蓝色花瓶"),
        ("赤い ティーポット。", "ja", "赤いティーポット"),
        ("¿Una taza roja?", "es", "Una taza roja"),
        ("[ ♪ ]", "en", ""),
        ("", "en", ""),
    ],
)
def test_cleaned(recognised, language, text):
    assert cleaned(recognised, language) == text
