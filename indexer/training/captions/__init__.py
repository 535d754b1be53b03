"""Captions of training pictures in Chinese, German, French, Spanish and Japanese, from a table of words and templates.

Imported by indexer.training.
"""
