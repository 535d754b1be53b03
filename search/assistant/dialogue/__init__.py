"""The dialogue with one customer: a message and the state of the conversation become a reply of codes and facts.

Imported by search.assistant.answering, web.assistant.
"""
