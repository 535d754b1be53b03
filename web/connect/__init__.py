"""Receive the webhooks of shop platforms: check who sent them, store them, and answer before anything is fetched.

Imported by web.app.
"""
