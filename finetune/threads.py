"""How the threads of torch and llama.cpp wait for one another; set before either is loaded."""

from __future__ import annotations

import os

SPINS = "30000"  # a tenth of a millisecond or so


def spin_briefly() -> None:
    """Let waiting threads spin for a moment and then sleep, unless the environment says otherwise.

    Threads that spin for long make training up to six times slower when anything else runs on the machine (71 to 443
    tokens/s); threads that sleep at once a third slower on an idle one (docs/training_bench.md).
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": SPINS}
