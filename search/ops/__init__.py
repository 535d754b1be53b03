"""Report a shop's state to its operator: index status, catalogue map and query log.

Imported by search.cli.prices, web.api, web.experiments, web.middleware, web.pages.
"""

from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from search.ops.experiment_report import report_experiment
    from search.ops.index_status import generations_of, last_report, move_to, preview_move, rejected_csv, way_back
    from search.ops.label_learning import heads_missing, heads_status
    from search.ops.recommender_models import recommender_status, roll_back_models, start_fit

__all__ = [
    "generations_of",
    "heads_missing",
    "heads_status",
    "last_report",
    "move_to",
    "preview_move",
    "recommender_status",
    "rejected_csv",
    "report_experiment",
    "roll_back_models",
    "start_fit",
    "way_back",
]

__getattr__, __dir__ = lazy_exports(__name__, __file__)
