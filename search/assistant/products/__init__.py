"""Answer questions about a product from its attributes, its texts, the shop's answers and approved reviews.

Imported by search.assistant.answering, web.questions.
"""
