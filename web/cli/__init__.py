"""The commands of `python -m web`, and the checks before a server starts.

Imported by web.__main__.
"""
