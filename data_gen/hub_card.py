"""The YAML that opens a dataset card (README.md), by which `datasets.load_dataset` and the hub read the folder.

Why a folder needs it: beside the splits lie rejected.jsonl, analysis.jsonl, review.jsonl and run.json, which are no
splits; and a column whose first 10 MB are null or [] (call, payable, history, spans, verdicts, articles,
provenance.usd) would be typed "null" and break at the first value.  ``configs`` names the splits, ``dataset_info``
the type of every column.
"""

from __future__ import annotations

from collections.abc import Mapping

from data_gen.columns import row_features
from data_gen.rows import SPLITS

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def front_matter(title: str, rows: Mapping[str, int], licence: str = "mit", tags: tuple[str, ...] = ()) -> str:
    """The block between ``---`` lines, with a newline after it, to stand on top of the card.

    ``rows``: number of rows by split; a split with none is left out, for `datasets` cannot read an empty file.
    ``licence``: an identifier of the hub (mit, cc-by-4.0, other); with ``other`` the card itself states the terms.
    """
    import yaml

    total = sum(rows.get(split, 0) for split in SPLITS)
    size = next((name for bound, name in _SIZES if total < bound), "n>1M")
    head = {
        "pretty_name": title,
        "language": ["ko"],
        "license": licence,
        **({"license_name": "see-card", "license_link": "README.md"} if licence == "other" else {}),
        "task_categories": ["question-answering", "text-generation"],
        "tags": ["legal", "tax", "korean", "synthetic", "slm-forest", *tags],
        "size_categories": [size],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"{split}.jsonl"} for split in SPLITS if rows.get(split)],
            }
        ],
        "dataset_info": {"config_name": "default", "features": row_features()},
    }
    return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False)}---\n"
