"""Orders: where the shop has them, and how a customer proves that one is theirs.

Imported by web.assistant.
"""
