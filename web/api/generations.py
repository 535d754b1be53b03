"""The current generation's files for other machines of the shop (`windowshop fetch`). Keys need the scope "admin"."""

from __future__ import annotations

import json

from flask import Blueprint, Response, abort, current_app, send_from_directory

from catalog.errors import NoGeneration
from catalog.files.version_folders import VersionFolders
from catalog.home import ShopHome
from web.api.jobs import supervisor_of

MANIFEST = "manifest.json"
bp = Blueprint("generations", __name__)


@bp.get("/api/v1/ops/generations/current")
def current() -> Response:
    """Return the manifest of the current generation, as it is on disk: it lists length and SHA-256 of every file."""
    shop = ShopHome(supervisor_of(current_app).home)
    try:
        number = VersionFolders(shop.generations, shop.current, 0).current()
        text = (shop.generation(number) / MANIFEST).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise NoGeneration("There is no index to fetch.", "Index the shop's feed first.") from None
    return Response(text, mimetype="application/json")


@bp.get("/api/v1/ops/generations/<int:number>/<name>")
def file(number: int, name: str) -> Response:
    """Return one file that a generation's manifest lists, or the part that the header Range names."""
    folder = ShopHome(supervisor_of(current_app).home).generation(number)
    try:
        listed = name in json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        listed = False
    if not listed:
        abort(404)
    return send_from_directory(folder.resolve(), name, mimetype="application/octet-stream", conditional=True)
