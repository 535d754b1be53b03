from inspect import getdoc
from pathlib import Path

import pytest

from catalog.errors import NoGeneration
from catalog.home import Entry, ShopHome
from catalog.storage.opening import require_catalogue

# Homes and backups of earlier versions hold these names, so they never change.
ON_DISK = """
    catalogue=catalog.sqlite staging=staging current=current generations=generations build_lock=build.lock cache=cache
    home_id=home.id shared_catalogue=shared-catalogue
    file_stats=cache/files.sqlite feed_rows=cache/feed-rows encoders=encoders label_heads=labels.safetensors
    label_network=label-network.safetensors intents=intents.safetensors
    calibration=calibration.json feed_settings=feed.json fetched=fetched
    vectors_identity=vectors.json
    pictures=pictures thumbnails=thumbs reports=reports update_report=reports/update.json
    update_rejected=reports/rejected-update.csv doctor_report=reports/doctor encoder_diff=encoder-change.json
    encoder_diff_page=encoder-change.html maps=maps jobs=jobs worker_lock=jobs/.worker.lock
    decisions=decisions.sqlite events=events.sqlite rejected_events=reports/rejected-events.csv
    query_log=questions.sqlite glossary=glossary.csv policies=policies
    inbox=inbox.sqlite inbox_lock=connect/.worker.lock woocommerce_list=connect/woocommerce.jsonl
    shopify_export=connect/shopify.jsonl platform_feed=connect/feed.jsonl rules=rules.sqlite
    recommender=recommend recommender_current=recommend/current recommender_lock=recommend/.fit.lock
    fit_progress=recommend/.progress.json fit_report=recommend/last-fit.json experiments=experiments.sqlite
    promotions=promotions.csv
    prices=prices prices_current=prices/current prices_lock=prices/.fit.lock
    prices_progress=prices/.progress.json prices_report=prices/last-fit.json prices_work=prices/.work
    threads=threads.sqlite outbox_lock=assistant/.outbox.lock orders=orders.csv queues=queues.csv
    product_questions=product-questions.sqlite
    price_alerts=price-alerts.sqlite price_alert_lock=price-alerts.lock
    price_alert_sending_lock=price-alerts-sending.lock
    pair_rules=goes_with.csv
    reviews=reviews.sqlite review_photos=reviews/photos review_lock=reviews/.worker.lock
    rejected_reviews=reports/rejected-reviews.csv
    price_limits=price-limits.csv costs=costs.csv demand=demand demand_current=demand/current
    demand_lock=demand/.fit.lock demand_report=demand/last-fit.json
    rejected_prices=reports/rejected-prices.csv
    price_overview=reports/prices.sqlite price_check_lock=reports/.prices.lock
    price_advice=reports/price-advice.csv
    contradictions=contradictions.csv api_keys=keys.json refine_key=refine.key
    rate_limits=rate-limits.bin
"""
NAMES = dict(line.split("=") for line in ON_DISK.split())


def test_every_name_on_disk_stays():
    entries = {name: entry.path for name, entry in vars(ShopHome).items() if isinstance(entry, Entry)}
    assert entries == NAMES
    assert {name: str(getattr(ShopHome(Path()), name)) for name in NAMES} == NAMES


def test_the_files_of_one_generation():
    shop = ShopHome(Path("var/shop"))
    assert shop.generation(7) == Path("var/shop/generations/000007")
    assert (shop.report(7).name, shop.rejected(7).name) == ("000007.json", "rejected-000007.csv")


def test_every_path_is_documented():
    assert not [name for name in NAMES if not (getdoc(getattr(ShopHome, name)) or "").endswith(".")]


def test_a_home_without_a_shop(tmp_path):
    with pytest.raises(NoGeneration, match=r"There is no shop in .*Index a feed first"):
        require_catalogue(tmp_path)
    ShopHome(tmp_path).catalogue.touch()
    require_catalogue(tmp_path)
    assert ShopHome(tmp_path).catalogue == tmp_path / "catalog.sqlite"
