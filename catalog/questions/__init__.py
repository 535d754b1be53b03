"""Customers' questions about products, and the shop's answers: their store.

Imported by search.assistant.answering, search.assistant.products, search.cli, web.questions.
"""
