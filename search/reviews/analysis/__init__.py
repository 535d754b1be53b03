"""What a review's text says as a whole and of each aspect of the product, with the clause that shows it.

Imported by search.cli.reviews, search.reviews.evaluation, search.reviews.moderation, search.reviews.working.
"""
