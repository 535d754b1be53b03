"""python -m indexer train | starter | kinds | phrases | detector: make what encoders and verdicts are made of."""

from __future__ import annotations

import json
from pathlib import Path

import click

from catalog.extras import requires_extra
from indexer.build.kind_texts import package_phrases
from indexer.cli.common import home_option
from indexer.detection.head import WEIGHTS
from indexer.encoders.registry import DEFAULT_ENCODER, STARTER_HEADS, open_encoder
from indexer.generations.known_kinds import KINDS_FILE
from indexer.generations.phrase_vectors import PHRASES_FILE
from indexer.training import detection

seed_option = click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same heads.")

_data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="Folder of the public datasets to train on.",
)


@click.command("train")
@home_option
@click.option("--encoder", "base", default=DEFAULT_ENCODER, show_default=True, help="Which encoder to build on.")
@click.option("--name", help="Name of the new encoder; by default shop, shop2 and so on.")
@seed_option
def train_command(home: Path, base: str, name: str | None, seed: int) -> None:
    """Fit heads on the shop's own products, on top of an encoder."""
    with requires_extra("torch", "Training an encoder"):
        from indexer.training.fit_shop import fit_shop  # torch takes seconds to load, and no other command needs it

    click.echo(json.dumps(fit_shop(home, base, name, seed), indent=2))


@click.command("starter")
@_data_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The safetensors file to write.")
@seed_option
def starter_command(data: Path, out: Path | None, seed: int) -> None:
    """Train the starter encoder's heads from scratch."""
    with requires_extra("torch", "Training the starter"):
        from indexer.training.fit_starter import fit_starter  # torch, as above

    click.echo(json.dumps(fit_starter(data, out or STARTER_HEADS, seed), indent=2))


@click.command("phrases")
def phrases_command() -> None:
    """Encode the phrases about kinds of all shops with the starter's text model, into the package."""
    count = package_phrases(open_encoder(DEFAULT_ENCODER))
    click.echo(json.dumps({"phrases": count, "file": str(PHRASES_FILE)}))


@click.command("kinds")
@_data_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The safetensors file to write.")
@seed_option
def kinds_command(data: Path, out: Path | None, seed: int) -> None:
    """Fit the kinds that a photo's verdict knows, with the starter's present heads."""
    with requires_extra("torch", "Fitting the kinds"):
        from indexer.training.kinds.fit_kinds import fit_kinds  # torch, as above

    click.echo(json.dumps(fit_kinds(data, out or KINDS_FILE, seed), indent=2))


@click.command("detector")
@_data_option
@click.option(
    "--scenes",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="Folder of `python -m catalog.sample.generator --training`.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The safetensors file to write.")
@seed_option
def detector_command(data: Path, scenes: Path, out: Path | None, seed: int) -> None:
    """Train the detection head, which finds the objects of a photo, from scratch."""
    with requires_extra("torch", "Training the detector"):
        click.echo(json.dumps(detection.fit_detector(data, scenes, out or WEIGHTS, seed), indent=2))
