"""The options of `index` and `update` that say where pictures and titles are encoded: on this machine or a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from indexer.build.encoding_pipeline import PipelineOptions
from indexer.distributed.ray_cluster import RAY_SCHEME, ClusterOptions, cluster_workers, encoder_source
from indexer.encoders.base import Encoder

LOCAL = "local"


def _check(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if value != LOCAL and not value.startswith(RAY_SCHEME):
        raise click.BadParameter(f"{value!r} is no place to encode; use {LOCAL}, ray://HOST:PORT or ray://auto.")
    return value


on_option = click.option(
    "--on",
    "place",
    default=LOCAL,
    show_default=True,
    callback=_check,
    metavar="WHERE",
    help="Where to encode: local, ray://HOST:PORT (a Ray cluster's client port), ray://auto (the cluster here).",
)
worker_threads_option = click.option(
    "--worker-threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads of each worker on a cluster.",
)


@dataclass(frozen=True, slots=True)
class EncodingPlace:
    """Where to encode, and with which encoder."""

    home: Path
    encoder: str
    runtime: str
    batch_size: int
    place: str
    worker_threads: int

    @classmethod
    def of(cls, given: dict[str, Any], home: Path, encoder: str, runtime: str) -> EncodingPlace:
        """Take the options of encoding out of those given."""
        return cls(home, encoder, runtime, given.pop("batch_size"), given.pop("place"), given.pop("worker_threads"))

    @contextmanager
    def pipeline(self, encoder: Encoder) -> Iterator[PipelineOptions]:
        """Connect to the cluster, if there is one, while the index is made. Raises MissingExtra, EncoderUnavailable."""
        local = PipelineOptions(self.batch_size)
        if self.place == LOCAL:
            yield local
            return
        options = ClusterOptions(self.place, self.worker_threads)
        source = encoder_source(self.encoder, self.runtime, self.home)
        with cluster_workers(options, encoder, source, local.picture_seconds) as workers:
            yield PipelineOptions(self.batch_size, workers=workers)
