"""Conversations with customers for staff: what stands behind the assistant, the API, and the page.

Imported by web.api, web.app, web.assistant, web.openapi.
"""
