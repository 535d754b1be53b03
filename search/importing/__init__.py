"""What imports of files into a shop's stores share.

Imported by search.cli, search.pricing.past_prices, search.recommend.events, search.reviews.importing.
"""
