"""A shop's policies: Markdown files of the owner, whose passages answer customers' questions, or nothing does.

Imported by search.assistant.answering, search.assistant.evaluation, search.cli.assistant.
"""
