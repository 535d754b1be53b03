"""Failpoints: named places where a test stops the program as a crash would. Without a test they do nothing."""

from __future__ import annotations

import os
import time

VARIABLE = "WINDOWSHOP_FAILPOINT"
KILLED = 137  # the exit code of a process that was killed


class Failed(RuntimeError):
    """An armed failpoint was reached."""


def failpoint(name: str) -> None:
    """Do what WINDOWSHOP_FAILPOINT says for this name: "name:exit", "name:raise" or "name:sleep:seconds".

    "name*3:exit" passes twice first. Without the variable, or for another name, nothing happens.
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
