"""The settings of price alerts."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class PriceAlertSettings(BaseSettings):
    """Those of the server's settings that are about price alerts; see `Settings`."""

    price_alerts: bool = Field(
        default=True, description="Whether visitors may set alerts for products that they want to see cheaper."
    )
    price_alert_days: float = Field(
        default=365, ge=0, description="Days after which a price alert that never fired is removed; 0 for no limit."
    )
    price_alert_url: str | None = Field(
        default=None, description="Service of the shop that gets each price alert that fires, as signed JSON."
    )
    price_alert_secret: SecretStr | None = Field(
        default=None, description="The secret with which price alerts to the service are signed."
    )
