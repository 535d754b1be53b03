"""Describe a query: terms, filters, text intent, spelling, glossary, and their encoding into a vector."""
