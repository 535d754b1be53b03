"""Texts of the pages in every language, and the choice of the language.

Imported by web.api, web.assistant, web.conversations, web.embed, web.facets, web.openapi, web.pages, web.personal,
web.prices, web.prices.history, web.prices.merchant, web.questions, web.requests, web.reviews, web.reviews.api,
web.saved, web.seo.
"""
