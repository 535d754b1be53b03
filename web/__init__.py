"""The shop over HTTP. A view checks its request, calls one function of the engine, and renders the result."""

from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from web.app import create_app
    from web.settings import Settings

__all__ = ["Settings", "create_app"]

__getattr__, __dir__ = lazy_exports(__name__, __file__)
