"""The state of a shop's recommender models for its operator, as JSON values, and what the operator may do with them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.errors import BadQuery, MissingExtra, StoreError, TrainingError
from catalog.extras import has_extra
from search.fitting.version_store import StoredVersion
from search.recommend.learning.background.fit_progress import interrupted_fit, running_fit
from search.recommend.learning.background.fit_supervisor import FitSupervisor
from search.recommend.learning.fit_report import last_fit, with_figures
from search.recommend.learning.manifest import ModelManifest
from search.recommend.learning.model_store import model_versions, rollback, stored_versions
from search.recommend.learning.shop_events import MIN_PURCHASES, has_events

SHOWN_PARTS = ("everything", "repeat", "new")  # of what is bought, whose recall at 20 the table shows
IDLE, RUNNING = "idle", "running"


def recommender_status(home: Path, fits: FitSupervisor) -> dict[str, Any]:
    """Return the stored versions, newest first, the running fit and the last one, and its table of all models.

    `back_to` is the version that a roll back goes to, `killed` says that the last fit did not end by itself,
    `interrupted` when and after which step that was, where it is known; `installed` whether models can be fitted here.
    """
    versions = stored_versions(home)
    current = model_versions(home).current_or_none()
    last = with_figures(last_fit(home), versions)
    interrupted = interrupted_fit(home)
    return {
        **_running(home, fits),
        "installed": has_extra("recs"),
        "killed": fits.killed or interrupted is not None,
        "interrupted": interrupted,
        "current": current,
        "back_to": next((stored.version for stored in versions if current and stored.version < current), None),
        "versions": [_version(stored) for stored in versions],
        "last": None if last is None else {name: value for name, value in last.items() if name != "figures"},
        "models": _table({} if last is None else last.get("figures") or {}),
    }


def start_fit(home: Path, fits: FitSupervisor) -> dict[str, Any]:
    """Start a fit in the background, unless one is running; return the state. Raises BadQuery where none can be."""
    if not has_events(home):
        raise BadQuery(
            f"The shop has too few events: models are fitted from {MIN_PURCHASES:,} purchases on.",
            "Send purchases to POST /api/v1/events.",
        )
    try:
        fits.start()
    except MissingExtra as error:
        raise BadQuery(error.message, error.hint) from error
    return _running(home, fits)


def roll_back_models(home: Path, version: int) -> dict[str, int]:
    """Make another version of the models current, which servers follow. Raises BadQuery, which says why not."""
    try:
        left, current = rollback(home, version)
    except (StoreError, TrainingError) as error:
        message = error.message.replace(f"{home}/", "").replace(str(home), "the shop")
        raise BadQuery(f"The current version of the models stays. {message}", error.hint) from error
    return {"left": left, "current": current}


def _running(home: Path, fits: FitSupervisor) -> dict[str, Any]:
    running = running_fit(home)
    if running is None and fits.starting:
        running = {"done": 0, "total": 0}
    return {"state": RUNNING if running else IDLE, **(running or {"done": 0, "total": 0})}


def _version(stored: StoredVersion[ModelManifest]) -> dict[str, Any]:
    values: dict[str, Any] = {"version": stored.version, "current": stored.current, "damaged": bool(stored.damaged)}
    if (manifest := stored.manifest) is None:
        return values
    names = ("fitted_at", "since", "until", "events", "visitors", "products")
    return values | {name: asdict(manifest)[name] for name in names}


def _table(models: dict[str, Any]) -> list[dict[str, Any]]:
    """Return recall at 20 of each model with its interval, the best of everything first."""
    rows: list[dict[str, Any]] = []
    for name, figures in models.items():
        parts = {
            part: {
                "recall": figures[part]["recall_at_20"],
                "low": figures[part]["recall_at_20_low"],
                "high": figures[part]["recall_at_20_high"],
                "visitors": figures[part]["visitors"],
            }
            for part in SHOWN_PARTS
            if part in figures
        }
        rows.append({"name": name, **parts})
    return sorted(rows, key=lambda row: -row.get("everything", {"recall": 0})["recall"])
