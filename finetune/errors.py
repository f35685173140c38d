"""Errors of the fine-tuning stage.  Each says what was wrong, where, and what to do next (Korean first)."""


class FinetuneError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(FinetuneError):
    """What the user handed over cannot be used: dataset rows, base weights, LoRA names.  Exit code 2."""


class GateError(FinetuneError):
    """A check between two steps failed (preflight, merge, parity); the run stops there.  Exit code 1."""
