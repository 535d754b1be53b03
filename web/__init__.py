"""The shop over HTTP: guards, calls one function of the engine, renders. `create_app()` is its table of contents."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from web import (
    addresses,
    api,
    auth,
    catalogue_api,
    engine,
    errors,
    headers,
    limits,
    logs,
    merchant,
    metrics,
    ops,
    pages,
    reference,
    templating,
    timing,
    try_photos,
    uploads,
)
from web.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The app for one shop; its engine opens in the background, and until then answers say 503."""
    settings = settings or Settings()
    app = Flask(__name__)
    app.config.update(PAGE_HITS=settings.page_hits, TIMEOUT_MS=settings.timeout_ms, SHOP_NAME=settings.shop_name)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]

    timing.init_app(app)
    logs.init_app(app, settings)
    metrics.init_app(app)
    headers.init_app(app, settings)
    limits.init_app(app, settings)
    auth.init_app(app, settings)
    uploads.init_app(app, settings)
    errors.init_app(app)
    templating.init_app(app)
    try_photos.init_app(app, settings)

    addresses.init_app(app)
    app.register_blueprint(api.bp)
    app.register_blueprint(catalogue_api.bp)
    app.register_blueprint(pages.bp)
    merchant.init_app(app, settings)
    ops.init_app(app, settings)
    app.register_blueprint(reference.bp)

    engine.init_app(app, settings)
    return app
