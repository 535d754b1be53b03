"""Cache vectors by picture content and encoder, and file statistics by path."""
