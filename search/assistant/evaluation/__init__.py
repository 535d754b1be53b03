"""Measure the classifier of intents beside simpler ones.

Imported by search.cli.assistant.
"""
