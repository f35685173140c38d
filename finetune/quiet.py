"""Silences what libraries say on every load and nobody can act on; an error is still an error."""

from __future__ import annotations

import logging
import warnings


def quiet_libraries() -> None:
    """Call once before models are loaded."""
    import transformers

    # transformers warns about its own renamed attributes on every load.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    # peft imports bitsandbytes wherever it is installed, also for adapters on bfloat16, and on a CPU it then misses a
    # kernel of four-bit products that no run of ours uses there (nf4 is refused off CUDA).
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
