"""Questions that are spoken: from a recording to the words of the shop.

Imported by search.cli, web.api, web.requests, web.voice.
"""
