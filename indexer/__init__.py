"""Pictures and words to vectors to one index generation."""

import os

# Read when torch or faiss are loaded. Threads that wait for each other awake take the processor from the one they wait
# for, where anything else runs: learning a shop of 300 took 570 s and more, asleep 54 s (docs/decisions.md).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
