"""The variants of the ablation table: one config of a student, cut to a short budget, with one thing changed in each.

``config_of`` gives a variant as a strict RunConfig, ``write_config`` as the YAML that `python -m finetune run` takes.
Knows nothing of running or measuring.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from finetune.settings import RunConfig, read_config
from taxlaw.strict_config import validate

REFERENCE = "reference"
# What all variants have in common besides the config they start from.
COMMON = {
    "lora": {"r": 16, "alpha": 32},
    # Many small steps: in five minutes they won over fewer and larger ones (configs/finetune/demo.yaml).
    "train": {"learning_rate": 1.0e-3, "warmup": 0.05, "batch_size": 4, "accumulate": 1, "checkpoint_minutes": 2},
    "export": {"quantisation": "Q8_0", "compare": []},
    "metrics": "jsonl",
}
CALL_TOKENS, WORKING_TOKENS = 120, 640  # caps of an answer: the longest call has some 110 tokens, a working 590
NLL_ROWS = 32
PREFERENCE_RATE = 5.0e-5  # learning rate of the preference stage, as in docs/finetune.md
OWN_SHARE = 0.25  # share of the worked rows that are the student's own answers, where it learns from them


@dataclass(frozen=True)
class Variant:
    """``changes``: nested, over the reference's settings.  ``stages``: (kind, share of the budget), empty for one task stage.

    ``sampled``: it needs answers sampled from the reference.  ``optional``: done only when asked for by name.
    """

    name: str
    what: str
    changes: dict = field(default_factory=dict)
    stages: tuple[tuple[str, float], ...] = ()
    sampled: bool = False
    optional: bool = False

    @property
    def in_words(self) -> bool:
        """Whether calculations may be answered with a whole working."""
        return self.changes.get("target", "program") != "program"


LAW_FIRST = (("domain", 1 / 3), ("task", 2 / 3))
VARIANTS = (
    Variant(REFERENCE, "calls (program), r=16, fitted vocabulary; all others change one thing in it"),
    Variant("r32", "adapter r=32, alpha 64", {"lora": {"r": 32, "alpha": 64}}),
    Variant("whole_vocabulary", "all pieces of the base's vocabulary", {"fit_vocab": False}),
    Variant(
        "extended",
        "4,000 domain pieces added to the fitted vocabulary; m1 on statutes for a third of the budget, then m2",
        {"extend_vocab": 4000},
        LAW_FIRST,
    ),
    Variant(
        "m1_m2",
        "m1 on statutes for a third of the budget, then m2; the fitted vocabulary holds their pieces too",
        {},
        LAW_FIRST,
    ),
    Variant("worked", "worked examples teach the whole working, as coarse as the dataset has it", {"target": "worked"}),
    Variant("mixed", "about half of the worked examples teach the call, the others the working", {"target": "mixed"}),
    Variant(
        "own_answers",
        "one round of rejection sampling: the reference's own verified answers in other words than the taught ones are "
        f"{OWN_SHARE:.0%} of the worked rows; trained anew",
        sampled=True,
    ),
    Variant(
        "dpo",
        "m2 for two thirds of the budget, then DPO on pairs of the reference's right and wrong answers",
        {},
        (("task", 2 / 3), ("preference", 1 / 3)),
        sampled=True,
    ),
    Variant("other_seed", "the reference with another seed: what chance alone changes", optional=True),
)


@dataclass(frozen=True)
class Plan:
    """One table: what it starts from, where it works, and the budget that is the same for every variant.

    ``steps``, when given, replaces ``minutes``: optimiser steps of all stages together.
    """

    config: Path
    dataset: Path
    work: Path
    rows: int
    minutes: float
    steps: int | None = None

    @property
    def law(self) -> Path:
        """Law texts that m1 and the added pieces learn."""
        return self.work / "law.jsonl"

    @property
    def held_law(self) -> Path:
        """Texts of the law that neither has seen."""
        return self.work / "held_out_law.jsonl"

    @property
    def pairs(self) -> Path:
        return self.work / "pairs.jsonl"

    @property
    def own_rows(self) -> Path:
        return self.work / "own_rows.jsonl"

    @property
    def own_dataset(self) -> Path:
        return self.work / "own_dataset"

    def out(self, name: str) -> Path:
        """The run folder of a variant."""
        return self.work / name

    def budget(self, share: float = 1.0) -> dict:
        """A share of the budget, as Train and StageBudget take it."""
        if self.steps is None:
            return {"max_minutes": round(self.minutes * share, 4)}
        return {"max_steps": max(1, round(self.steps * share))}


def variant_named(name: str) -> Variant:
    """Raises SystemExit listing the names when there is none of that name."""
    found = next((variant for variant in VARIANTS if variant.name == name), None)
    if found is None:
        known = ", ".join(variant.name for variant in VARIANTS)
        raise SystemExit(f"그런 변형이 없습니다: {name}\n  있는 것 (known variants): {known}")
    return found


def raw_config(variant: Variant, plan: Plan) -> dict:
    """The settings of a variant as they stand in its YAML; only what is not a default."""
    start = read_config(plan.config)
    raw = start.model_dump(mode="json", exclude_unset=True)
    for name in ("stages", "evaluation"):
        raw.pop(name, None)
    for name in ("max_minutes", "epochs", "max_steps", "early_stop"):
        raw["train"].pop(name, None)
    raw = _merged(_merged(raw, COMMON), variant.changes)
    if variant.name == "other_seed":
        raw["seed"] = start.seed + 1
    raw["train"] |= plan.budget()
    raw["dataset"] = str(plan.own_dataset if variant.name == "own_answers" else plan.dataset)
    raw["out"] = str(plan.out(variant.name))
    if variant.stages:
        raw["stages"] = [_stage(kind, plan) | plan.budget(share) for kind, share in variant.stages]
    raw["evaluation"] = {
        "rows": plan.rows,
        "base_rows": plan.rows if variant.name == REFERENCE else 0,  # the table's line "base"
        "step_rows": 1,  # the file is what is compared; a row keeps the steps before it alive
        "merged": False,
        "nll_rows": min(NLL_ROWS, plan.rows),
        "max_new_tokens": WORKING_TOKENS if variant.in_words else CALL_TOKENS,
    }
    return raw


def config_of(variant: Variant, plan: Plan) -> RunConfig:
    """The same, checked.  Raises ConfigError."""
    return validate(raw_config(variant, plan), RunConfig, where=f"variant {variant.name}")


def write_config(variant: Variant, plan: Plan) -> Path:
    """The YAML of a variant in the work folder.  Raises ConfigError before anything is written."""
    config_of(variant, plan)
    path = plan.work / f"{variant.name}.yaml"
    head = f"# {variant.name}: {variant.what}\n#   python -m finetune run --config {path}\n"
    text = head + yaml.safe_dump(raw_config(variant, plan), allow_unicode=True, sort_keys=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def identity(variant: Variant, plan: Plan) -> str:
    """SHA-256 of the settings and of every file they name; another one means the variant has to be done again."""
    config = config_of(variant, plan)
    parts = [yaml.safe_dump(raw_config(variant, plan))]
    files = [config.dataset / name for name in ("train.jsonl", "validation.jsonl")]
    files += [Path(path) for stage in config.stages if (path := getattr(stage, "texts", None))]
    files += [stage.pairs for stage in config.stages if stage.kind == "preference"]
    for path in files:
        with path.open("rb") as file:
            parts.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _stage(kind: str, plan: Plan) -> dict:
    stages = {
        "domain": {"name": "m1", "kind": "domain", "texts": str(plan.law)},
        "task": {"name": "m2", "kind": "task"},
        "preference": {
            "name": "dpo",
            "kind": "preference",
            "pairs": str(plan.pairs),
            "learning_rate": PREFERENCE_RATE,
        },
    }
    return stages[kind]


def _merged(base: dict, changes: dict) -> dict:
    """``base`` with ``changes`` put over it, mapping by mapping."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return merged
