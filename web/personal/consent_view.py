"""What a page says of personal recommendations: who refused them, and whether the shop stores what visitors do."""

from __future__ import annotations

from dataclasses import dataclass

from web.middleware.consent import SHOP, personalising_refused_by, recording_refused_by


@dataclass(frozen=True, slots=True)
class ConsentView:
    """Whether the browser or the shop refused personal recommendations, and whether events are stored."""

    browser_refused: bool
    shop_refused: bool
    recorded: bool

    @property
    def switchable(self) -> bool:
        """Return whether there is something left for the visitor to refuse."""
        return not self.browser_refused and (self.recorded or not self.shop_refused)


def consent_view() -> ConsentView:
    """Return what holds for the present request."""
    refused_by = personalising_refused_by()
    return ConsentView(refused_by not in ("", SHOP), refused_by == SHOP, not recording_refused_by())
