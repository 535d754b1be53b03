"""What an owner should know of the prices: jumps, stale prices, margins, announced discounts, effects of promotions.

Imported by search.cli.prices, search.doctor, web.prices.merchant.
"""

from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from search.pricing.owners.shop_advice import ShopAdvice

__all__ = ["ShopAdvice"]

__getattr__, __dir__ = lazy_exports(__name__, __file__)
