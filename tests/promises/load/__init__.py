"""Promises on how much a server answers, and what it does when more is asked."""
