"""Explain a hit: reasons, match heatmap, and objects proposed in a photo.

Imported by search.engine, web.pages.
"""
