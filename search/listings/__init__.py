"""Suggest category, attributes, title words and price for a listing, and learn from merchants' decisions."""
