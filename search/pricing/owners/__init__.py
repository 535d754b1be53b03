"""What an owner should know of the prices: jumps, stale prices, margins, announced discounts, effects of promotions.

Imported by search.cli.prices, search.doctor.
"""
