"""Whether a review may be shown: links, contact details, insults, spam, and texts that were sent before.

Imported by search.reviews, search.reviews.importing, search.reviews.working, web.reviews.api.
"""
