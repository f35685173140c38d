"""The plan as it is read on an ordinary terminal, and the figures in the heads of the students' files."""

import io
import re
from pathlib import Path

import pytest

from finetune.plan import make_plan
from finetune.plan_command import show
from finetune.plan_memory import Pass, kept_activations, memory_of, shape_of
from finetune.plan_tokens import _config_of
from finetune.settings import Base, Lora, RunConfig, Train, read_config
from finetune.students import find_student

REPO = Path(__file__).parents[2]


def test_no_figure_is_cut_at_eighty_columns(dataset, tiny_base):
    from rich.console import Console

    config = RunConfig(
        dataset=dataset,
        out=Path("runs/x"),
        base=Base(folder=tiny_base.folder, load="nf4"),  # on CUDA only: the longest rows are those that do not fit
        lora=Lora(r=4, alpha=8),
        train=Train(learning_rate=1e-3, batch_size=4, epochs=2_000_000, pass_tokens=256),  # hours of four digits
    )
    plan = make_plan(config)
    console = Console(file=io.StringIO(), width=80)
    show(plan, "test.yaml", console)
    text = console.file.getvalue()
    assert "…" not in text
    assert sum("들어가지 않습니다 (nf4 는 CUDA 만)" in line for line in text.splitlines()) == 3
    for row in plan.devices:
        (line,) = [line for line in text.splitlines() if line.strip().startswith(row.device.name) and "·" not in line]
        if row.usd is not None:
            assert f"{row.training_hours:.1f}시간" in line and f"${row.usd:.2f}" in line


@pytest.mark.parametrize("name", ["gemma3-12b", "gemma3-12b-qlora", "phi2", "eeve-2.8b"])
def test_the_memory_in_a_students_header_is_what_the_plan_calculates(name):
    """The largest pass of worked rows scores about six tokens of seven; the plan's own rows change it by 1 GB at most."""
    path = REPO / "configs" / "finetune" / f"{name}.yaml"
    said = re.search(r"(\d+) GB of (24|80)", re.sub(r"\n# ?", " ", path.read_text(encoding="utf-8")))
    config = read_config(path)
    model = _config_of(find_student(config.base.hub))
    tokens = config.train.pass_tokens
    largest = Pass(rows=tokens // 256, longest=256, scored=round(0.86 * tokens))
    kept = kept_activations(model, config.lora, largest, "bfloat16")
    memory = memory_of(shape_of(model, config.lora), config, kept, largest, Pass(1, 1, 1), "bfloat16", "cuda")
    assert abs(memory.training / 1e9 - int(said.group(1))) <= 1
