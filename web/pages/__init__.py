"""HTML pages and what their templates show.

Imported by web, web.reviews, web.saved, web.seo.
"""
