"""Decoding processes that do not survive: `python -m tests.catalog.audio.dying_workers`, by $WINDOWSHOP_TEST_DEATH."""

import os
import signal
import sys

from catalog.audio import decode_worker


def eat_memory() -> None:
    try:
        bytearray(2 * decode_worker.MAX_MEMORY_BYTES)
    except MemoryError:
        sys.stdout.write('{"error": "memory"}\n')
        sys.exit()


def main() -> None:
    deed = os.environ["WINDOWSHOP_TEST_DEATH"]
    decode_worker.limit()
    if deed == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if deed == "memory":
        eat_memory()
    if deed == "loop":
        while True:
            pass
    if deed == "flood":
        while True:
            os.write(1, b'{"samples": 4}\n' + bytes(2**16))
    sys.stdout.write({"text": "nonsense", "few": '{"samples": 400}\nabc', "code": '{"error": "exit"}\n'}[deed])


if __name__ == "__main__":
    main()
