"""Indexing beside clip-retrieval: the same pictures, one open_clip checkpoint of random weights, without a network.

clip-retrieval 2.45 asks for NumPy 1, so it has an environment of its own, whose Python is named. Both run on one
thread in a process of their own; what counts is the processor time of it and its children, after the model is open.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

MODEL = "ViT-B-32"
CHECKPOINT = """
import sys, open_clip, torch
torch.manual_seed(0)
torch.save(open_clip.create_model(sys.argv[1]).state_dict(), sys.argv[2])
"""
SPENT = """
def processor_s():
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in times)
"""
PEER = (
    "import json, resource, sys\nfrom all_clip import load_clip\nfrom clip_retrieval.clip_inference.main import main"
    + SPENT
    + """
if __name__ == "__main__":
    source, target, model = sys.argv[1:]
    load_clip(clip_model=model, use_jit=False, warmup_batch_size=32, clip_cache_path=None)
    before = processor_s()
    main(source, target, clip_model=model, batch_size=32, num_prepro_workers=1, enable_text=False)
    print(json.dumps({"cpu_s": processor_s() - before}))
"""
)
OWN = (
    "import json, resource, sys\nfrom pathlib import Path\nfrom indexer.build.build import BuildOptions, build_index\n"
    "from indexer.encoders.registry import open_encoder"
    + SPENT
    + """
if __name__ == "__main__":
    source, target, model = sys.argv[1:]
    encoder = open_encoder(model)
    before = processor_s()
    report = build_index(Path(target), Path(source), encoder, BuildOptions())
    steps = {step.name: step.cpu_seconds for step in report.steps}
    print(json.dumps({"cpu_s": processor_s() - before, "steps_s": steps}))
"""
)


def indexing_beside(data: Path, folder: Path, count: int, python: Path) -> dict[str, Any]:
    """Index `count` pictures of the fashion feed with both; `python` has clip-retrieval and open_clip installed."""
    shutil.rmtree(folder, ignore_errors=True)
    pictures = folder / "feed" / "images"
    pictures.mkdir(parents=True)
    checkpoint = folder / "random.pt"
    feed = _feed(data, folder / "feed", count)
    _script(folder / "checkpoint.py", CHECKPOINT, Path(sys.executable), MODEL, checkpoint)
    own, peer = (Path(sys.executable), OWN), (python, PEER)
    one = {"own": (*own, feed, folder / "home", f"clip:{MODEL}@{checkpoint}")}
    one["clip-retrieval"] = (*peer, pictures, folder / "embeddings", f"open_clip:{MODEL}/{checkpoint}")
    figures: dict[str, Any] = {"model": MODEL, "pictures": count}
    for name, (program, text, *arguments) in one.items():
        figures[name] = json.loads(_script(folder / f"{name}.py", text, program, *arguments))
        figures[name]["pictures_per_cpu_second"] = count / figures[name]["cpu_s"]
    return figures


def _feed(data: Path, folder: Path, count: int) -> Path:
    """Write a feed of the first pictures without titles of their own, because the peer encodes pictures alone."""
    with (data / "fashion" / "products.csv").open(newline="", encoding="utf-8") as opened:
        names = [row[-1] for row, _ in zip(list(csv.reader(opened))[1:], range(count), strict=False)]
    for name in names:
        shutil.copy(data / "fashion" / name, folder / name)
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows(
            [("id", "title", "image"), *((str(place), "thing", name) for place, name in enumerate(names))]
        )
    return folder / "products.csv"


def _script(path: Path, text: str, python: Path, *arguments: object) -> str:
    """Run a text of Python in a process of its own; return the line of JSON that it printed, if any."""
    path.write_text(text)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled"}
    command = [python, path, *map(str, arguments)]
    printed = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout
    return printed[printed.rfind('{"cpu_s"') :]  # after whatever else it said, on the same line
