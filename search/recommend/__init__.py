"""Recommend products: substitutes, complements and sessions, from content and logged events."""
