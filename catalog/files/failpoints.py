"""Places where a test may stop the program as a crash would: each is named, and does nothing unless it is armed."""

from __future__ import annotations

import os
import time

VARIABLE = "WINDOWSHOP_FAILPOINT"
KILLED = 137  # what a shell says of a process that was killed


class Failed(RuntimeError):
    """An armed failpoint was reached; raised by nothing else."""


def failpoint(name: str) -> None:
    """Do what WINDOWSHOP_FAILPOINT asks of this place: "name:exit", "name:raise" or "name:sleep:seconds".

    "name*3:exit" lets it pass twice first. Without the variable, or for any other name, nothing happens.
    """
    armed = os.environ.get(VARIABLE)
    if not armed:
        return
    wanted, _, action = armed.partition(":")
    wanted, _, times = wanted.partition("*")
    if wanted != name:
        return
    left = int(times or 1) - 1
    if left > 0:
        os.environ[VARIABLE] = f"{wanted}*{left}:{action}"
    elif action == "exit":
        os._exit(KILLED)
    elif action.startswith("sleep:"):
        time.sleep(float(action.removeprefix("sleep:")))
    else:
        raise Failed(f"The failpoint {name!r} was reached.")
