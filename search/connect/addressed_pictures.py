"""Fetch the pictures that a batch of products names by web address."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from catalog import images
from catalog.errors import BadInput, BadPicture, WindowshopError
from catalog.fetching.fetcher import PictureFetcher
from catalog.fetching.http_download import FetchRules
from catalog.home import ShopHome
from catalog.product import Picture, Product

Fetched = Mapping[str, Picture | WindowshopError]
FetchAll = Callable[[Iterable[str], Iterable[Product]], Fetched]
CHECKED_SIDE = 224  # pixels: a picture is decoded once to this size, to learn whether it can be


def is_address(text: str) -> bool:
    """Tell whether the text of a picture is a web address, which base64 never is."""
    return text[:8].lower().startswith(("http://", "https://"))


@contextmanager
def fetching(home: Path, rules: FetchRules, recheck: bool = False) -> Iterator[FetchAll]:
    """Give the block a function from addresses to pictures, or to the reasons why they did not come.

    Products that show the pictures must be committed before the block ends. Raises StoreError.
    """
    folder = ShopHome(home.absolute()).fetched
    with closing(PictureFetcher.open(folder, rules, recheck=recheck)) as fetcher:
        yield lambda addresses, products: _fetch_all(fetcher, set(addresses), products)


def _fetch_all(fetcher: PictureFetcher, addresses: Collection[str], products: Iterable[Product]) -> Fetched:
    if not addresses:
        return {}
    known = {picture.sha256: picture for product in products for picture in product.pictures}

    def fetch(address: str) -> Picture | WindowshopError:
        try:
            path = fetcher.fetch(address)
            return known.get(path.name) or checked_picture(path)
        except (BadInput, MemoryError) as error:
            return error if isinstance(error, BadInput) else BadPicture("The picture needs too much memory.")

    ordered: Sequence[str] = sorted(addresses)
    with ThreadPoolExecutor(fetcher.threads, "fetch") as pool:
        return dict(zip(ordered, pool.map(fetch, ordered), strict=True))


def checked_picture(path: Path) -> Picture:
    """Return the picture of a file that can be decoded. Raises BadPicture."""
    data = images.read_file(path)
    images.decode(data, at_least=CHECKED_SIDE)
    return Picture(str(path), images.content_hash(data), *images.size_of(data))
