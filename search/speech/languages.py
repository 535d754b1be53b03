"""The languages in which speech is recognised."""

LANGUAGES = ("en", "zh", "de", "fr", "es", "ja")
# Recognition in these was measured with many voices, all synthetic: docs/decisions/speech.md.
MEASURED = ("en",)
