"""The advice on prices of the open shop, which loads numpy and is made on first use."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask, current_app

from search.pricing import owners
from web.settings import Settings

EXTENSION = "windowshop.price_advice"


def init_app(app: Flask, settings: Settings) -> None:
    """Prepare the advice."""
    app.extensions[EXTENSION] = cache(lambda: owners.ShopAdvice(settings.home))


def shop_advice() -> owners.ShopAdvice:
    """Return the advice of the current app."""
    found: owners.ShopAdvice = current_app.extensions[EXTENSION]()
    return found


def with_demand(price: dict[str, Any] | None, category: str) -> dict[str, Any] | None:
    """Return a suggested price range with what is known of demand in the category; null where nothing is."""
    if price is None:
        return None
    elasticity = shop_advice().of_category(category)
    return price | {"demand": None if elasticity is None else {"elasticity": elasticity.to_dict()}}
