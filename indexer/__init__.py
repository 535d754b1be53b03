"""Pictures and words to vectors to one index generation."""
