"""HTML pages and what their templates show.

Imported by web.app, web.reviews, web.saved, web.seo.
"""
