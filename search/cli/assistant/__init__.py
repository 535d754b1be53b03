"""Commands of the assistant's parts.

Imported by search.__main__.
"""
