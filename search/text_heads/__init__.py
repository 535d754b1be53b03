"""Vectors of sentences in any language, and small linear classifiers on them.

Imported by search.assistant.answering, search.assistant.evaluation, search.assistant.intents,
search.assistant.policies, search.cli.assistant, search.cli.learning, search.reviews.analysis,
search.reviews.moderation, search.reviews.working.
"""
