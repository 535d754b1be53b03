"""python -m search speech: recognise a spoken question in a recording."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.audio.limits import MAX_BYTES
from indexer.cli.common import home_option
from search.cli.common import FILE_TYPE, json_option, print_figures, print_json
from search.speech.languages import LANGUAGES
from search.speech.recogniser import SpeechRecogniser


@click.command("speech")
@home_option
@json_option
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="What is spoken.")
@click.argument("recording", type=FILE_TYPE)
def speech_command(home: Path, as_json: bool, language: str, recording: Path) -> None:
    """Recognise a spoken question in RECORDING, a WAV file of at most 10 s, with the shop's words. Needs [voice]."""
    with recording.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    found = SpeechRecogniser(home).recognise(data, language).to_dict()
    if as_json:
        print_json(found)
    else:
        print_figures(found | {"alternatives": ", ".join(found["alternatives"]) or None})
