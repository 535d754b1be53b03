"""The worst failures as pictures: what was asked, what should have come, and what came first."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from catalog import images
from catalog.errors import BadPicture
from catalog.images.crop import load_picture
from catalog.product import Product
from search.evaluation.evaluate import MRR_DEPTH
from search.hits import SearchHit
from tests.quality.measures import Rank
from tests.quality.questions import Answer
from tests.quality.report.records import Failure, Shown

THUMBNAIL = 112
WORST = 12
HITS = 3


def worst(answers: Iterable[Answer], count: int = WORST) -> list[Answer]:
    """The questions whose right product came latest, the latest first; those where it came first are no failures."""
    missed = [answer for answer in answers if answer.rank != 1]
    missed.sort(key=lambda answer: (-_depth(answer.rank), answer.question.asked))
    return missed[:count]


def photo_failure(answer: Answer, products: Mapping[str, Product], note: str = "") -> Failure:
    """A photo, its product where the shop has it, and the first hits."""
    photo = Path(answer.question.asked)
    return Failure(picture_of(photo, photo.stem, note), _expected(answer, products), _hits(answer))


def words_failure(answer: Answer, products: Mapping[str, Product]) -> Failure:
    """Words, their product, and the first hits."""
    return Failure(Shown("", answer.question.asked), _expected(answer, products), _hits(answer))


def picture_of(path: Path, title: str, note: str = "") -> Shown:
    """A picture file, small; one that cannot be read is told by its words alone."""
    try:
        return Shown(data_url(load_picture(path)), title, note)
    except BadPicture as error:
        return Shown("", title, error.message)


def product_shown(product: Product, note: str) -> Shown:
    """A product by its first studio picture."""
    return picture_of(Path(product.pictures[0].path), product.title, note)


def hits_shown(hits: Sequence[SearchHit], right: Iterable[str]) -> tuple[Shown, ...]:
    """The first hits, each by the picture of it that matched, those that are right marked."""
    wanted = set(right)
    shown = []
    for rank, hit in enumerate(hits[:HITS], 1):
        picture = picture_of(Path(hit.picture.path), hit.product.title, f"{rank}. {hit.score:.2f}")
        shown.append(Shown(picture.picture, picture.title, picture.note, hit.product.id in wanted))
    return tuple(shown)


def rank_note(rank: Rank) -> str:
    """Where the right product came."""
    return f"not in the first {MRR_DEPTH}" if rank is None else f"rank {rank}"


def data_url(picture: Image.Image) -> str:
    """A picture as a small JPEG inside the page."""
    encoded = base64.b64encode(images.thumbnail(picture, THUMBNAIL)).decode("ascii")
    return f"data:image/jpeg;base64,{encoded}"


def _expected(answer: Answer, products: Mapping[str, Product]) -> tuple[Shown, ...]:
    product = products.get(answer.question.product_id)
    return () if product is None else (product_shown(product, answer.refused or rank_note(answer.rank)),)


def _hits(answer: Answer) -> tuple[Shown, ...]:
    return hits_shown(answer.hits, (answer.question.product_id,))


def _depth(rank: Rank) -> float:
    return math.inf if rank is None else rank
