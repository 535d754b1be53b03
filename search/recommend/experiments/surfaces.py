"""The surfaces of the feed, and which of them each setting of an arm changes."""

from __future__ import annotations

FOR_YOU, BUY_AGAIN, TRENDING, NEW_FOR_YOU = "for_you", "buy_again", "trending", "new_for_you"
BOUGHT_TOGETHER, BECAUSE_YOU_LOOKED, HOME = "bought_together", "because_you_looked", "home"
SURFACES = (FOR_YOU, BUY_AGAIN, TRENDING, NEW_FOR_YOU, BOUGHT_TOGETHER, BECAUSE_YOU_LOOKED, HOME)
HOME_SHELVES = (FOR_YOU, BUY_AGAIN, BECAUSE_YOU_LOOKED, TRENDING, NEW_FOR_YOU)
CHANGED_BY = {  # a setting of an arm: the surfaces that it changes; the front page follows from its shelves
    "shelves": (HOME,),
    "repeat_share": (FOR_YOU,),
    "relevance_share": (FOR_YOU, TRENDING, NEW_FOR_YOU, BOUGHT_TOGETHER, BECAUSE_YOU_LOOKED),
    "model": (FOR_YOU, BUY_AGAIN, TRENDING, NEW_FOR_YOU, BOUGHT_TOGETHER, BECAUSE_YOU_LOOKED),
}
