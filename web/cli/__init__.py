"""Commands of `python -m web`."""
