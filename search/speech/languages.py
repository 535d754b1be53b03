"""The languages in which speech is recognised."""

LANGUAGES = ("en", "zh", "de", "fr", "es", "ja")
# Recognition in these was measured with voices that people take for real ones: docs/decisions/speech.md.
MEASURED = ("en",)
