"""Commands of `python -m search`."""
