"""The commands of `python -m search prices`.

Imported by search.__main__.
"""
