"""Store what shoppers do: views, clicks, carts and purchases, and statistics of them.

Imported by search.cli, search.ops, search.pricing.demand, search.pricing.series, search.recommend,
search.recommend.content, search.recommend.evaluation, search.recommend.experiments, search.recommend.feed,
search.recommend.learning, search.recommend.models, search.recommend.outlook, search.recommend.ranking, web.engine,
web.experiments, web.requests.
"""
