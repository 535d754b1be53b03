"""Create the app: put its parts together, in the order in which their hooks run."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from web import admission, engine, errors, try_photos, urls, voice
from web.api import (
    feed,
    generations,
    insights,
    jobs,
    listings,
    operations,
    products,
    rules,
    search,
    speech,
    suggestions,
    visitors,
)
from web.assistant import pages as assistant_page
from web.assistant import routes as assistant
from web.assistant import service as assistant_service
from web.connect import webhooks
from web.conversations import desk as service_desk
from web.conversations import page as conversations_page
from web.conversations import routes as conversations
from web.embed import routes as embed_routes
from web.experiments import routes as experiments
from web.middleware import (
    access_log,
    auth,
    consent,
    metrics,
    origins,
    rate_limits,
    request_context,
    response_headers,
    uploads,
)
from web.openapi import reference_page
from web.pages import merchant, operator, shop, templating
from web.personal import routes as personal
from web.prices import alert_pages, alert_service
from web.prices import alerts as price_alerts
from web.prices import routes as prices
from web.prices.merchant import routes as merchant_prices
from web.questions import pages as question_pages
from web.questions import routes as product_questions
from web.questions import service as question_service
from web.reviews import desk_page
from web.reviews import routes as reviews
from web.reviews.api import routes as review_api
from web.saved import routes as saved
from web.seo import page_head, site_files, sitemap
from web.settings import Settings
from web.shedding import load_shedder


def create_app(settings: Settings | None = None) -> Flask:
    """Create the app for one shop; it answers 503 until its engine has opened in the background."""
    settings = settings or Settings()
    app = Flask("web")
    app.config.update(PAGE_HITS=settings.page_hits, TIMEOUT_MS=settings.timeout_ms, SHOP_NAME=settings.shop_name)
    app.config["PUBLIC_URL"] = settings.public_url
    app.config["SHOW_SCORES"] = settings.show_scores
    app.config["SHOWN_ATTRIBUTES"] = settings.attributes_shown
    app.config["FETCH_RULES"] = settings.fetch_rules
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]
    _add_middleware(app, settings)
    _add_services(app, settings)
    _add_shop_routes(app, settings)
    _add_staff_routes(app, settings)
    load_shedder.init_app(app, settings)
    engine.init_app(app, settings, jobs.learner(app) if settings.learn_missing_heads else None)
    webhooks.init_app(app, settings)
    return app


def _add_middleware(app: Flask, settings: Settings) -> None:
    request_context.init_app(app)
    access_log.init_app(app, settings)
    metrics.init_app(app)
    response_headers.init_app(app, settings)
    rate_limits.init_app(app, settings)
    auth.init_app(app, settings)
    origins.init_app(app, settings)
    uploads.init_app(app, settings)
    consent.init_app(app, settings)
    admission.init_app(app, settings)
    errors.init_app(app)
    templating.init_app(app)


def _add_services(app: Flask, settings: Settings) -> None:
    for service in (try_photos, voice, assistant_service, question_service, service_desk, alert_service):
        service.init_app(app, settings)


def _add_shop_routes(app: Flask, settings: Settings) -> None:
    """Add what shoppers call, and the pages of staff."""
    for desk in (conversations, conversations_page):
        app.register_blueprint(desk.bp)
    urls.init_app(app)
    app.register_blueprint(search.bp)
    app.register_blueprint(visitors.bp)
    feed.init_app(app, settings)
    for api in (suggestions, speech, assistant, assistant_page, products):
        app.register_blueprint(api.bp)
    prices.init_app(app, settings)
    app.register_blueprint(product_questions.bp)
    app.register_blueprint(price_alerts.bp)
    for page in (shop, question_pages, personal, saved, merchant, desk_page, operator):
        app.register_blueprint(page.bp)
    reviews.init_app(app)
    alert_pages.init_app(app)
    page_head.init_app(app, settings)
    sitemap.init_app(app, settings)
    app.register_blueprint(site_files.bp)
    app.register_blueprint(embed_routes.bp)
    review_api.init_app(app, settings)


def _add_staff_routes(app: Flask, settings: Settings) -> None:
    """Add what merchants and the owner call, and the reference of the API."""
    for api in (listings, merchant_prices, jobs, operations):
        api.init_app(app, settings)
    app.register_blueprint(generations.bp)
    app.register_blueprint(insights.bp)
    rules.init_app(app, settings)
    app.register_blueprint(experiments.bp)
    app.register_blueprint(reference_page.bp)
