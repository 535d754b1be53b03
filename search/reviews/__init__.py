"""What reviews say: analysis of texts, moderation, summaries, and what ratings do to a ranking.

Imported by web.reviews, web.reviews.api.
"""
