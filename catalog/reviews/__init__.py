"""What customers write about products: reviews, what was found in them, and their store.

Imported by catalog.reviews.readers, search.assistant.answering, search.assistant.products, search.cli,
search.cli.reviews, search.doctor, search.engine, search.reviews, search.reviews.analysis, search.reviews.evaluation,
search.reviews.importing, search.reviews.insights, search.reviews.moderation, search.reviews.photo_retrieval,
search.reviews.ranking, search.reviews.working, web.api, web.reviews, web.reviews.api, web.seo.
"""
