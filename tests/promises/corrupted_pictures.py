"""Decodes mutants and cut files of one format in a process with little memory; prints how that went as JSON.

python -m tests.promises.corrupted_pictures KIND HOW_MANY SEED CUTS
"""

import io
import json
import random
import resource
import sys
import time

import numpy as np
from PIL import Image

from catalog.errors import BadPicture
from catalog.images.decoder import decode
from tests.promises.pictures import mutant, saved

MEMORY = 2 * 2**30


def sample(kind):
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 255, (48, 48, 3), np.uint8))
    if kind == "HEIF":
        import pillow_heif

        out = io.BytesIO()
        pillow_heif.from_pillow(picture).save(out)
        return out.getvalue()
    return saved(kind, picture)


def main(kind, how_many, seed, cuts):
    data = sample(kind)
    chance = random.Random(seed)
    told = {"decoded": 0, "refused": 0, "slowest": 0.0}
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (1_200, 1_200))
    files = [data[: len(data) * step // cuts] for step in range(cuts)]
    files += [mutant(data, chance) for _ in range(how_many)]
    for file in files:
        began = time.process_time()
        try:
            assert decode(file).mode == "RGB"
            told["decoded"] += 1
        except BadPicture as error:
            assert error.message
            told["refused"] += 1
        told["slowest"] = max(told["slowest"], time.process_time() - began)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
