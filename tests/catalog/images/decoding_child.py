"""Decode picture files as a search does, and print what each took: a line with a path on stdin for each.

Each is decoded in a process of its own, forked from this one, so that the imports are paid once:

    python -m tests.catalog.images.decoding_child
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

from catalog import images
from catalog.errors import BadPicture


def decode(path):
    began = time.process_time()
    try:
        picture = images.decode(images.read_file(Path(path)), at_least=512)
        images.thumbnail(picture, 320)
        outcome = {"size": picture.size}
    except BadPicture as error:
        outcome = {"error": error.code}
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return outcome | {"seconds": seconds, "peak_mb": peak}


def main():
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.write(1, json.dumps(decode(line.strip())).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"\n")


if __name__ == "__main__":
    main()
