"""Read questions about products and texts of a shop: topics, parts, measures, and the words that are left.

Imported by search.assistant.products, web.questions.
"""
