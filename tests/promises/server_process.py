"""Does one piece of work in a forked child, so that it may be killed: orders on stdin, answers on stdout.

The parent never runs anything that starts threads, so that its children are whole.
"""

import json
import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import ImageColor

from catalog.fetching.http_download import FetchRules
from catalog.storage.catalogue import Catalogue
from catalog.text.glossary import GLOSSARY, read_glossary
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.build.generation_builder import BuildOptions
from indexer.generations.publishing import build_lock, rollback
from indexer.generations.store import open_serving
from indexer.maintenance.backup import backup, restore
from indexer.maintenance.cache_pruning import prune
from search.connect.product_batch import BatchRow, put_batch
from search.engine import SearchEngine
from search.language.terms import shipped_terms
from search.live.product_edit import edit_of
from search.query.glossary import Glossary
from search.recommend.content.compatibility_rules import PairRules
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import picture_bytes

OPTIONS = BuildOptions(PipelineOptions(batch_size=4))


class CountingEncoder(FakeEncoder):
    """Notes every picture it encodes in a file, so that the work of killed children is counted too."""

    def __init__(self, log, at_once):
        super().__init__()
        self._log = log
        self.batches_at_once = at_once

    def encode_pixels(self, pixels):
        with Path(self._log).open("ab") as file:
            file.write(b"." * len(pixels))
        return super().encode_pixels(pixels)


def do_build(home, feed, log="", at_once="1"):
    build_index(Path(home), Path(feed), CountingEncoder(log, int(at_once)) if log else FakeEncoder(), OPTIONS)


def do_update(home, feed):
    update_index(Path(home), FakeEncoder(), UpdateOptions(feed=Path(feed), build=OPTIONS))


def do_update_all(home):
    update_index(Path(home), FakeEncoder(), UpdateOptions(from_catalogue=True, build=OPTIONS))


def do_rollback(home):
    with build_lock(Path(home)):
        rollback(Path(home))


def do_backup(home, to):
    backup(Path(home), Path(to))


def do_restore(source, home):
    restore(Path(source), Path(home))


def do_prune(home):
    prune(Path(home))


def opened(home):
    """The shop as a server opens it, all changes taken in."""
    home = Path(home)
    engine = SearchEngine(home, open_serving(home), Catalogue.open(home / "catalog.sqlite"), FakeEncoder())
    engine.follow()
    return engine


def read_shipped_tables():
    """Read once, before any child is forked, what every shop that is opened reads."""
    PairRules.load()
    Glossary(read_glossary(GLOSSARY), dict(shipped_terms()))


def do_put(home, product_id, title, colours):
    pictures = [picture_bytes(ImageColor.getrgb(name), (16, 16)) for name in colours.split()]
    opened(home).put(edit_of(product_id, {"title": title}, pictures))


def do_put_batch(home, product_id, title, colours):
    pictures = [picture_bytes(ImageColor.getrgb(name), (16, 16)) for name in colours.split()]
    (result,) = put_batch(
        opened(home), [BatchRow(product_id, edit_of(product_id, {"title": title}), pictures)], FetchRules()
    )
    assert result.error is None


def do_remove(home, product_id):
    opened(home).remove(product_id)


def do_write_for_ever(home, feeds, stop):
    """Changes products and indexes feeds in turn until a file appears."""
    turn, rng = 0, np.random.default_rng(3)
    while not Path(stop).exists():
        names = feeds.split("|")
        update_index(Path(home), FakeEncoder(), UpdateOptions(feed=Path(names[turn % len(names)]), build=OPTIONS))
        catalogue = Catalogue.open(Path(home) / "catalog.sqlite")
        for key, product in list(catalogue.iterate())[: int(rng.integers(1, 9))]:
            catalogue.put([replace(product, description=f"{turn} {key}")])
        catalogue.close()
        turn += 1


def main():
    read_shipped_tables()
    for line in sys.stdin:
        order = json.loads(line)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            if order["failpoint"]:
                os.environ["WINDOWSHOP_FAILPOINT"] = order["failpoint"]
            code = 0
            try:
                globals()[f"do_{order['work']}"](**order["words"])
            except BaseException:
                os.write(write, traceback.format_exc()[-2_000:].encode())
                code = 1
            os._exit(code)
        os.close(write)
        with os.fdopen(read, "rb") as said:
            text = said.read().decode()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"code": code, "said": text}), flush=True)


if __name__ == "__main__":
    main()
