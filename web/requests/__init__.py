"""Read HTTP requests into the types of the search room.

Imported by web.api, web.assistant, web.conversations, web.experiments, web.facets, web.openapi, web.pages,
web.personal, web.prices, web.prices.merchant, web.questions, web.reviews, web.reviews.api, web.seo.
"""
