"""A shop's home: the folder that holds everything about one shop, and the name of every file and folder in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import overload


class Entry:
    """A file or folder of the home by its path in it; the docstring says what it holds and which command writes it."""

    def __init__(self, path: str, doc: str) -> None:
        self.path = path
        self.__doc__ = doc

    @overload
    def __get__(self, home: None, owner: type) -> Entry: ...

    @overload
    def __get__(self, home: ShopHome, owner: type) -> Path: ...

    def __get__(self, home: ShopHome | None, owner: type) -> Entry | Path:
        return self if home is None else home.root / self.path


@dataclass(frozen=True, slots=True)
class ShopHome:
    """The paths of one shop. Names never change: homes and backups of earlier versions must open."""

    root: Path

    catalogue = Entry(
        "catalog.sqlite", "Products, pictures, change log, price history, word index. Imports, changes write."
    )
    staging = Entry("staging", "Copy of the catalogue that a `build` or `update` changes first; it removes it.")
    current = Entry("current", "Number of the served generation. `build`, `update`, `rollback` replace it last of all.")
    generations = Entry("generations", "A folder per generation: rows, ids, index, manifest. `build`, `update` write.")
    build_lock = Entry("build.lock", "Lock of `build`, `update`, `rollback`, `cache prune`. It stays empty.")
    home_id = Entry(
        "home.id", "Random id of this folder among those of a shop in PostgreSQL. `build`, `rollback` write it once."
    )
    shared_catalogue = Entry(
        "shared-catalogue", "Which database has the catalogue. `build`, `catalogue copy`, `fetch` write and remove it."
    )
    cache = Entry("cache", "Vectors by content hash, a file per encoder and kind. `build`, `update` append.")
    file_stats = Entry("cache/files.sqlite", "Size, time and hash of picture files that were read. `build`, `update`.")
    feed_rows = Entry("cache/feed-rows", "Digests of feed rows, and ids of their products. `build`, `update` write.")
    encoders = Entry("encoders", "Projection heads fitted on this shop, a file per encoder. `train` writes.")
    label_heads = Entry("labels.safetensors", "Attribute classifiers fitted on this shop. `learn` writes.")
    label_network = Entry("label-network.safetensors", "Network fine-tuned for attributes. `learn --fine-tune` writes.")
    intents = Entry("intents.safetensors", "Classifier of customers' messages learnt from corrections. `learn` writes.")
    calibration = Entry("calibration.json", "Curve from match score to probability. `calibrate` writes.")
    feed_settings = Entry("feed.json", "Settings of the last import, which `update` reuses. `build`, `update` write.")
    fetched = Entry("fetched", "Pictures fetched by web address, and a table of the addresses. Imports write.")
    pictures = Entry("pictures", "Pictures of single product changes, re-encoded. Server and command line write.")
    thumbnails = Entry("thumbs", "Small pictures to show; may be deleted. The server writes.")
    vectors_identity = Entry("vectors.json", "The shop's name in Milvus, and the path of this home. `build` writes.")
    reports = Entry("reports", "Reports of imports and the audit. `build`, `update`, `doctor` write.")
    update_report = Entry("reports/update.json", "What the last `update` did.")
    update_rejected = Entry("reports/rejected-update.csv", "Rows that the last `update` rejected, and why.")
    doctor_report = Entry("reports/doctor", "The audit of all listings, as a table and a page. `doctor` writes.")
    encoder_diff = Entry(
        "encoder-change.json", "What a change of encoder changed in results. `update --encoder` writes."
    )
    encoder_diff_page = Entry("encoder-change.html", "The queries whose results changed most, with their pictures.")
    maps = Entry("maps", "The catalogue map of each generation. The server's map process writes.")
    jobs = Entry("jobs", "A folder per bulk job: the uploaded file and its rows. The server and its worker write.")
    worker_lock = Entry("jobs/.worker.lock", "Lock of the one process that works on bulk jobs. It stays empty.")
    decisions = Entry("decisions.sqlite", "Merchants' decisions about suggestions. The server and bulk jobs write.")
    events = Entry("events.sqlite", "Views, clicks, carts, purchases, without shoppers' identity. The server writes.")
    recommender = Entry("recommend", "A folder per version of the recommender models. `recommend fit` writes.")
    recommender_current = Entry(
        "recommend/current", "Number of the served version. `recommend fit` and `rollback` replace it last of all."
    )
    recommender_lock = Entry("recommend/.fit.lock", "Lock of `recommend fit` and `recommend rollback`. It stays empty.")
    fit_progress = Entry("recommend/.progress.json", "How far a running `recommend fit` is, which removes it.")
    fit_report = Entry("recommend/last-fit.json", "What the last `recommend fit` measured and decided.")
    prices = Entry("prices", "A folder per version of the price forecasts. `prices fit` writes.")
    prices_current = Entry(
        "prices/current", "Number of the served forecasts. `prices fit` and `rollback` replace it last of all."
    )
    prices_lock = Entry("prices/.fit.lock", "Lock of `prices fit` and `prices rollback`. It stays empty.")
    prices_progress = Entry("prices/.progress.json", "How far a running `prices fit` is, which removes it.")
    prices_report = Entry("prices/last-fit.json", "What the last `prices fit` measured and decided.")
    prices_work = Entry("prices/.work", "Results of a running or interrupted `prices fit`, which removes them.")
    promotions = Entry(
        "promotions.csv", "The shop's planned promotions by product and week. Written by hand or by its own system."
    )
    rejected_events = Entry("reports/rejected-events.csv", "Rows that the last `events import` rejected, and why.")
    query_log = Entry(
        "questions.sqlite", "Searches without results, slow ones, found ones. The server writes, if set to."
    )
    inbox = Entry("inbox.sqlite", "Products that shop platforms sent. Server and `reconcile` write.")
    inbox_lock = Entry("connect/.worker.lock", "Lock of the one process that works on the inbox. It stays empty.")
    woocommerce_list = Entry("connect/woocommerce.jsonl", "WooCommerce's products as `reconcile` read them last.")
    shopify_export = Entry("connect/shopify.jsonl", "Shopify's products as `reconcile` read them last.")
    platform_feed = Entry("connect/feed.jsonl", "The feed that the last `reconcile` made of an export.")
    glossary = Entry("glossary.csv", "The shop's own synonyms and translations. Written by hand.")
    policies = Entry("policies", "The shop's policies, which the assistant answers from: *.md. Written by hand.")
    rules = Entry("rules.sqlite", "The owner's rules of search, and the log of their changes. `rules`, server write.")
    experiments = Entry("experiments.sqlite", "Experiments on the feed, and who has seen which arm. The server writes.")
    threads = Entry("threads.sqlite", "What customers ask the assistant, and hand-overs. The server writes.")
    outbox_lock = Entry(
        "assistant/.outbox.lock", "Lock of the one process that sends hand-overs to mail and webhook. It stays empty."
    )
    orders = Entry("orders.csv", "The shop's orders, for customers who ask for theirs. The shop's own system writes.")
    queues = Entry("queues.csv", "The shop's own rules of which queue a conversation goes to. Written by hand.")
    product_questions = Entry(
        "product-questions.sqlite", "Customers' questions about products, and the shop's answers. The server writes."
    )
    price_alerts = Entry("price-alerts.sqlite", "Visitors' price alerts, and those that fired. The server writes.")
    price_alert_lock = Entry("price-alerts.lock", "Lock of the one process that fires price alerts. It stays empty.")
    price_alert_sending_lock = Entry(
        "price-alerts-sending.lock", "Lock of the one process that sends price alerts. It stays empty."
    )
    pair_rules = Entry("goes_with.csv", "The shop's own rules of which categories go together. Written by hand.")
    contradictions = Entry("contradictions.csv", "The shop's own rules of which values clash. Written by hand.")
    reviews = Entry("reviews.sqlite", "Customers' reviews, votes and what was found in texts. Server, `reviews` write.")
    review_photos = Entry("reviews/photos", "Photos in reviews, re-encoded. Server and `reviews import` write.")
    review_lock = Entry("reviews/.worker.lock", "Lock of the one process that analyses reviews. It stays empty.")
    rejected_reviews = Entry("reports/rejected-reviews.csv", "Rows that the last `reviews import` rejected, and why.")
    price_limits = Entry("price-limits.csv", "The owner's limits of prices, for advice on them. Written by hand.")
    costs = Entry("costs.csv", "What products cost the shop, for margins. Written by hand, or by its own system.")
    demand = Entry("demand", "A folder per version of the model of demand by price. `prices fit` writes.")
    demand_current = Entry(
        "demand/current", "Number of the served version of it. `prices fit` replaces it last of all."
    )
    demand_report = Entry("demand/last-fit.json", "What the last fit of the model of demand measured and decided.")
    demand_lock = Entry("demand/.fit.lock", "Lock of the process that writes a version of it. It stays empty.")
    rejected_prices = Entry("reports/rejected-prices.csv", "Rows that the last `prices import` rejected, and why.")
    price_overview = Entry(
        "reports/prices.sqlite", "What the last check of prices found. Server, `prices check` write."
    )
    price_advice = Entry(
        "reports/price-advice.csv", "Advice on every price, as of the last check. Server, `prices check` write."
    )
    price_check_lock = Entry("reports/.prices.lock", "Lock of the one process that checks prices. It stays empty.")
    api_keys = Entry("keys.json", "Hashes of the API keys. `key` writes.")
    rate_limits = Entry(
        "rate-limits.bin", "Who has used how much of the limits, as keyed hashes. All servers of the shop write it."
    )
    refine_key = Entry("refine.key", "Secret of refine tokens and ids of searches. The server writes it once.")

    @property
    def side_databases(self) -> tuple[Path, ...]:
        """The databases besides the catalogue that a backup copies."""
        return (
            self.events,
            self.product_questions,
            self.decisions,
            self.query_log,
            self.rules,
            self.experiments,
            self.inbox,
            self.price_alerts,
            self.reviews,
            self.threads,
        )

    def generation(self, number: int) -> Path:
        """Return the folder of one generation."""
        return self.generations / f"{number:06d}"

    def report(self, generation: int) -> Path:
        """Return the report of the import that made a generation."""
        return self.reports / f"{generation:06d}.json"

    def rejected(self, generation: int) -> Path:
        """Return the rows rejected when a generation was made; the file is absent when there were none."""
        return self.reports / f"rejected-{generation:06d}.csv"
