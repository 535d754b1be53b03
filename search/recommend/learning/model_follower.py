"""Open the shop's fitted models, and open them again whenever another version becomes the current one."""

from __future__ import annotations

from pathlib import Path

from catalog.home import ShopHome
from search.fitting.version_follower import VersionFollower
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.learning.model_store import MODELS_NAME, open_serving


class ModelFollower(VersionFollower[FittedModels]):
    """The models of recommendations that one shop serves. Threads share it."""

    def __init__(self, home: Path) -> None:
        super().__init__(ShopHome(home).recommender_current, lambda: open_serving(home), MODELS_NAME)
