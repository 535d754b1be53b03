"""Small models for the tests of recommendations."""

import pytest

from search.trees.tree_ensemble import TREE_SETTINGS


@pytest.fixture(scope="module")
def few_trees():
    """Fit a third of the trees that shops get."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TREE_SETTINGS, "max_iter", 60)
        yield
