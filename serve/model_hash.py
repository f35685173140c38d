"""SHA-256 of a model's weights: the same weights are the same model under any name."""

from __future__ import annotations

import hashlib
from pathlib import Path

_WEIGHTS = ("*.safetensors", "*.bin")


def weights_sha256(path: Path) -> str:
    """Of one file, its own; of a folder, of the names and hashes of its weights (about a second per gigabyte)."""
    from serve.settings import sha256_of

    if path.is_file():
        return sha256_of(path)
    files = sorted(file for pattern in _WEIGHTS for file in path.glob(pattern))
    lines = "".join(f"{sha256_of(file)}  {file.name}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()
