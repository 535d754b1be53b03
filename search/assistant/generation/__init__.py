"""An optional language model that words an answer from passages found, and the checks that refuse what they do not say.

Imported by search.assistant.answering.
"""
