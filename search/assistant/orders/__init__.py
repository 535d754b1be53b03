"""Orders: where the shop has them, and how a customer proves that one is theirs.

Imported by search.assistant.answering, search.assistant.dialogue, web.conversations.
"""
