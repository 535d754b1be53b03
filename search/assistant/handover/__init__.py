"""The hand-over to a person: which queue, what is sent to mail and webhook, and the outbox that sends it.

Imported by search.assistant.answering, search.assistant.dialogue, web.conversations.
"""
