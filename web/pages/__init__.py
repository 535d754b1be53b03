"""HTML pages and what their templates show.

Imported by web, web.saved, web.seo.
"""
