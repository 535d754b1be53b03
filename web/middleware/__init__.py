"""Run around every request: keys, limits, headers, logs, metrics and uploads.

Imported by web.admission, web.api, web.app, web.assistant, web.cli, web.connect, web.conversations, web.openapi,
web.pages, web.personal, web.prices, web.prices.merchant, web.questions, web.requests, web.reviews, web.reviews.api,
web.shedding.
"""
