"""Reviews on pages: stars, what people say, the list with its filters, the form, and the merchant's moderation.

Imported by web, web.saved, web.seo.
"""
