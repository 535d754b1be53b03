"""Decode a picture file as a search does, and print what it took: python -m tests.catalog.images.decoding_child FILE.

With several files, the least memory: that of an ordinary photo.
"""

import json
import resource
import sys
import time
from pathlib import Path

from catalog import images
from catalog.errors import BadPicture


def main(path):
    began = time.process_time()
    try:
        picture = images.decode(images.read_file(Path(path)), at_least=512)
        images.thumbnail(picture, 320)
        outcome = {"size": picture.size}
    except BadPicture as error:
        outcome = {"error": error.code}
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(outcome | {"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main(sys.argv[1])
