"""What a customer's message wants: intents, their examples, and the classifier.

Imported by search.assistant.answering, search.assistant.dialogue, search.assistant.evaluation, search.cli.assistant,
search.cli.learning, web.conversations.
"""
