"""Several examples in one row without padding, none seeing another: positions restart, attention stays within an example.

The mask is explicit (block-diagonal and causal), so nothing depends on a library guessing where examples begin; layers
with a sliding window get a mask of their own.  The gradient is that of the same examples in rows of their own.
"""

from __future__ import annotations

import torch

from finetune.chat import Encoded
from finetune.train import IGNORED, Batch, Objective, answer_loss, count_targets

FULL, SLIDING = "full_attention", "sliding_attention"


def pack(examples: list[Encoded], most_tokens: int) -> list[list[Encoded]]:
    """Rows of at most ``most_tokens`` tokens, longest examples first, each into the first row with room.

    A single longer example gets a row of its own.  First-fit decreasing needs at most 11/9 of the fewest rows possible.
    """
    rows: list[list[Encoded]] = []
    room: list[int] = []
    for example in sorted(examples, key=lambda one: -len(one.ids)):
        length = len(example.ids)
        place = next((index for index, free in enumerate(room) if length <= free), None)
        if place is None:
            rows.append([example])
            room.append(most_tokens - length)
        else:
            rows[place].append(example)
            room[place] -= length
    return rows


def collate_packed(row: list[Encoded], window: int | None, device: str = "cpu") -> Batch:
    """One row (1, tokens) of all these examples; ``window``: tokens a sliding layer sees, None without such layers."""
    ids = [token for example in row for token in example.ids]
    labels: list[int] = []
    positions: list[int] = []
    owners: list[int] = []
    for number, example in enumerate(row):
        length = len(example.ids)
        labels += [IGNORED] * example.answer_start + list(example.ids[example.answer_start :])
        positions += range(length)
        owners += [number] * length
    return Batch(
        input_ids=torch.tensor([ids], device=device),
        attention_mask=block_masks(torch.tensor(owners, device=device), window),
        labels=torch.tensor([labels], device=device),
        position_ids=torch.tensor([positions], device=device),
    )


def block_masks(owners: torch.Tensor, window: int | None) -> torch.Tensor | dict[str, torch.Tensor]:
    """Boolean masks (1, 1, tokens, tokens), True where a token may look: the same example, and not ahead.

    With ``window``, one mask per layer type as Gemma 3's text model takes them; a sliding layer sees the last ``window``
    tokens, itself included.
    """
    places = torch.arange(len(owners), device=owners.device)
    behind = places[:, None] - places[None, :]  # how far back the key stands
    full = (owners[:, None] == owners[None, :]) & (behind >= 0)
    if window is None:
        return full[None, None]
    return {FULL: full[None, None], SLIDING: (full & (behind < window))[None, None]}


def sliding_window(config) -> int | None:
    """The window of a model's sliding layers, None when every layer sees everything."""
    return config.sliding_window if SLIDING in (getattr(config, "layer_types", None) or ()) else None


def packed_answers(config) -> Objective:
    """The ordinary objective in packed rows; ``config`` is the text model's."""
    window = sliding_window(config)
    return Objective(
        cut=pack,
        collate=lambda row, device: collate_packed(row, window, device),
        loss=answer_loss,
        weight=count_targets,
        tokens=lambda example: len(example.ids),
    )
