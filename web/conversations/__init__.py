"""Conversations with customers for staff: what stands behind the assistant, the API, and the page.

Imported by web, web.api, web.assistant, web.openapi.
"""
