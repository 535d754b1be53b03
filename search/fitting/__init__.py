"""What every fit of a shop's models shares: stored versions, the lock, the progress and the priority.

Imported by search.cli, search.cli.prices, search.ops, search.pricing.demand, search.pricing.learning,
search.recommend.learning, search.recommend.learning.background.
"""
