"""Reviews on pages: stars, what people say, the list with its filters, the form, and the merchant's moderation.

Imported by web.app, web.saved, web.seo.
"""
