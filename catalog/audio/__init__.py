"""Recordings of speech as numbers: which formats, what is in them, and decoding in a process of its own.

Imported by search.cli, search.speech, web.api, web.middleware, web.requests.
"""
