"""A shop's home: the folder that holds everything about one shop, and the name of every file and folder in it.

Names never change: homes and backups of earlier versions must open.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.errors import NoGeneration


@dataclass(frozen=True, slots=True)
class ShopHome:
    """The paths of one shop. Each property says what the file or folder holds, and who writes it."""

    root: Path

    @property
    def catalogue(self) -> Path:
        """Every product, picture and change, with the word index (SQLite). Imports and changes of a product write."""
        return self.root / "catalog.sqlite"

    @property
    def current(self) -> Path:
        """The number of the generation that is served. `build`, `update` and `rollback` replace it last of all."""
        return self.root / "current"

    @property
    def generations(self) -> Path:
        """One folder per generation: rows, ids, FAISS index, manifest. `build` and `update` write; sealed ones stay."""
        return self.root / "generations"

    def generation(self, number: int) -> Path:
        """Return the folder of one generation."""
        return self.generations / f"{number:06d}"

    @property
    def build_lock(self) -> Path:
        """The lock of whoever changes the generations: `build`, `update`, `rollback`, `cache prune`. It stays empty."""
        return self.root / "build.lock"

    @property
    def cache(self) -> Path:
        """Vectors by content hash, a file per encoder and kind. `build`, `update` append, `cache prune` rewrites."""
        return self.root / "cache"

    @property
    def file_stats(self) -> Path:
        """Size, time, content hash of picture files that were read (SQLite). `build` and `update` write."""
        return self.cache / "files.sqlite"

    @property
    def encoders(self) -> Path:
        """Projection heads fitted on this shop, a safetensors file per encoder. `train` writes."""
        return self.root / "encoders"

    @property
    def label_heads(self) -> Path:
        """The attribute classifiers fitted on this shop. `learn` writes, also from the merchant's decisions."""
        return self.root / "labels.safetensors"

    @property
    def label_network(self) -> Path:
        """The network fine-tuned for this shop's attributes, when it does better. `learn` writes."""
        return self.root / "label-network.safetensors"

    @property
    def calibration(self) -> Path:
        """The curve that makes a match score a probability. `calibrate` writes."""
        return self.root / "calibration.json"

    @property
    def feed_settings(self) -> Path:
        """Which feed was imported, and how: `update` without a feed reads it. `build` and `update` write."""
        return self.root / "feed.json"

    @property
    def fetched(self) -> Path:
        """Pictures that a feed names by web address, with a table of where each came from. Imports write."""
        return self.root / "fetched"

    @property
    def pictures(self) -> Path:
        """Pictures that came with changes of single products, re-encoded. The server and the command line write."""
        return self.root / "pictures"

    @property
    def thumbnails(self) -> Path:
        """Small pictures to show, made on demand; may be deleted. The server writes."""
        return self.root / "thumbs"

    @property
    def reports(self) -> Path:
        """What every import did, and the newest audit. `build`, `update` and `doctor` write."""
        return self.root / "reports"

    @property
    def update_report(self) -> Path:
        """What the last `update` did."""
        return self.reports / "update.json"

    @property
    def update_rejected(self) -> Path:
        """The rows that the last `update` rejected, and why."""
        return self.reports / "rejected-update.csv"

    def report(self, generation: int) -> Path:
        """Return the report of the import that made a generation."""
        return self.reports / f"{generation:06d}.json"

    def rejected(self, generation: int) -> Path:
        """Return the rows that were rejected when a generation was made; absent when there were none."""
        return self.reports / f"rejected-{generation:06d}.csv"

    @property
    def encoder_diff(self) -> Path:
        """What the newest change of encoder changed in the answers, in figures. `update --encoder` writes."""
        return self.root / "encoder-change.json"

    @property
    def encoder_diff_page(self) -> Path:
        """The same for people: the questions whose answers changed most, with their pictures."""
        return self.root / "encoder-change.html"

    @property
    def maps(self) -> Path:
        """The catalogue map of each generation, for the operator's page. The server's map process writes."""
        return self.root / "maps"

    @property
    def jobs(self) -> Path:
        """One folder per bulk job: the file that was handed in, and its rows. The server and its worker write."""
        return self.root / "jobs"

    @property
    def worker_lock(self) -> Path:
        """The lock of the one process that works on bulk jobs. It stays empty."""
        return self.jobs / ".worker.lock"

    @property
    def decisions(self) -> Path:
        """What merchants decided about suggestions (SQLite). The server and bulk commands write."""
        return self.root / "decisions.sqlite"

    @property
    def events(self) -> Path:
        """Shoppers' views, clicks, carts and purchases, without their identity (SQLite). The server writes."""
        return self.root / "events.sqlite"

    @property
    def query_log(self) -> Path:
        """Searches that found nothing or were slow (SQLite). The server writes, if it is set to."""
        return self.root / "questions.sqlite"

    @property
    def side_databases(self) -> tuple[Path, ...]:
        """The databases besides the catalogue that a backup copies."""
        return self.events, self.decisions, self.query_log

    @property
    def glossary(self) -> Path:
        """The shop's own synonyms and translations. The merchant writes it by hand."""
        return self.root / "glossary.csv"

    @property
    def pair_rules(self) -> Path:
        """The shop's own rules of which categories go together. The merchant writes it by hand."""
        return self.root / "goes_with.csv"

    @property
    def contradictions(self) -> Path:
        """The shop's own rules of which attribute values clash. The merchant writes it by hand."""
        return self.root / "contradictions.csv"

    @property
    def api_keys(self) -> Path:
        """The hashes of the API keys. `key` writes."""
        return self.root / "keys.json"

    @property
    def refine_key(self) -> Path:
        """The secret that signs refine tokens. The server writes it once."""
        return self.root / "refine.key"

    def require_catalogue(self) -> Path:
        """Return the catalogue's path. Raises NoGeneration when there is no shop here yet."""
        if not self.catalogue.is_file():
            raise NoGeneration(f"There is no shop in {self.root}.", "Index a feed first: make index FEED=...")
        return self.catalogue
