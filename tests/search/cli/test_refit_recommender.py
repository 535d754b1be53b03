"""`windowshop learn` fits the models of recommendations along with its own; what stops that fit does not stop it."""

from search.cli.recommend_fit_commands import refit_recommender
from search.recommend.learning.model_store import fit_lock


def test_another_fit_is_no_error_of_learning(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("search.recommend.learning.model_store.LOCK_TIMEOUT_S", 0.05)
    with fit_lock(tmp_path):
        assert refit_recommender(tmp_path, as_json=True) is None
    assert "were not fitted. Another fit" in capsys.readouterr().err
