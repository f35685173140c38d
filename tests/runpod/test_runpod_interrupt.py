"""Ctrl-C ends the watching even where Python drops the exception; nobody pays for a pod that cannot be left."""

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
SWALLOWS = """
import os, signal
from scripts.runpod import interrupt
interrupt.listen()

class Dropping:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass  # the handler runs here, and what it raises goes nowhere

value = Dropping()
del value
print("dropped", flush=True)
try:
    interrupt.pause(60)
except KeyboardInterrupt:
    raise SystemExit(130)
"""


def test_an_interrupt_that_python_dropped_is_heard_at_the_next_pause():
    done = subprocess.run([sys.executable, "-c", SWALLOWS], cwd=REPO, capture_output=True, text=True, timeout=50)
    assert done.stdout == "dropped\n" and "KeyboardInterrupt" in done.stderr, done
    assert done.returncode == 130
