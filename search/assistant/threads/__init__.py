"""Conversations with customers: their store, what personal data is masked, how long they stay, corrections.

Imported by search.assistant.answering, search.assistant.dialogue, search.assistant.generation,
search.assistant.handover, search.assistant.orders, search.cli, search.cli.learning, web.assistant, web.conversations.
"""
