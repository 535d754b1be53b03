"""Requests that a busy server refuses before Flask is reached."""
