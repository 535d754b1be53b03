"""Writing and reading feeds in tests."""

from pathlib import Path

from catalog.errors import BadFeed
from catalog.feeds.reader import read_feed
from catalog.product import Product, Rejected

GOOGLE = 'xmlns:g="http://base.google.com/ns/1.0"'


def write(shop, content, name="products.csv"):
    path = shop / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path, fetch=None):
    entries = list(read_feed(path, fetch))
    return [e for e in entries if isinstance(e, Product)], [e for e in entries if isinstance(e, Rejected)]


def read_until_broken(path):
    """Products, rejected rows, and the error that ended the feed, if any."""
    entries, error = [], None
    try:
        for entry in read_feed(path):
            entries.append(entry)
    except BadFeed as broken:
        error = broken
    products = [e for e in entries if isinstance(e, Product)]
    return products, [e for e in entries if isinstance(e, Rejected)], error


def names(product):
    return [Path(picture.path).name for picture in product.pictures]


def item(product_id="good", title="Hat", image="images/1.png", more=""):
    return f"<item><g:id>{product_id}</g:id><g:title>{title}</g:title><g:image_link>{image}</g:image_link>{more}</item>"


def rss(*items, start=""):
    return (
        f'{start}<rss {GOOGLE} version="2.0"><channel><title>Shop</title>\n' + "\n".join(items) + "\n</channel></rss>"
    )
