"""Read amounts of money: numbers and currencies as shops and shoppers write them, and what a row's product costs.

Imported by catalog.feeds, catalog.feeds.platform_documents, catalog.feeds.platforms, search.bulk, search.cli.prices,
search.live, search.pricing, search.pricing.alerts, search.pricing.demand, search.pricing.flags,
search.pricing.past_prices, search.query, web.i18n, web.prices, web.requests.
"""
