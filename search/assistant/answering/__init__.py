"""The assistant of a shop: it reads a message, decides what to do by its intent, and puts the reply together.

Imported by web.assistant.
"""
