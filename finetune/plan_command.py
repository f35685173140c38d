"""`python -m finetune plan`: what a run will need and cost, as a Korean table or JSON; loads no weights."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = (
    "학습하기 전에 토큰 수, 매개변수, 메모리, 시간, 비용을 장치별로 계산합니다. 가중치를 읽지 않고 GPU 도 필요 없습니다. "
    "(plan a run: tokens, memory, hours, money)"
)

KINDS = {"cpu": "CPU", "mps": "Metal", "cuda": "CUDA"}


def add_parser(commands) -> None:
    """Add ``plan`` to the sub-commands."""
    parser = commands.add_parser("plan", help="토큰, 메모리, 시간, 비용 (before a run)", description=DESCRIPTION)
    parser.add_argument("--config", type=Path, required=True, help="설정 YAML, 예: configs/finetune/phi2.yaml")
    parser.add_argument("--dataset", type=Path, help="데이터셋 폴더 (설정의 dataset 대신)")
    parser.add_argument("--json", action="store_true", help="표 대신 JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the plan; 0 also when it fits nowhere, as that is an answer."""
    import json
    import sys

    from finetune.plan import make_plan
    from finetune.quiet import quiet_libraries
    from finetune.settings import read_config

    quiet_libraries()

    plan = make_plan(read_config(arguments.config, arguments.dataset))
    if arguments.json:
        json.dump(as_json(plan), sys.stdout, ensure_ascii=False, indent=2)
        print()
    else:
        show(plan, arguments.config.name)
    return 0


def as_json(plan) -> dict:
    """The plan as plain values: bytes, tokens, hours, US dollars.  An endless number of epochs is null."""
    import math
    from dataclasses import asdict

    record = asdict(plan)
    record.pop("table")
    for stage in record["stages"]:
        stage["epochs"] = stage["epochs"] if math.isfinite(stage["epochs"]) else None
    for row, planned in zip(record["devices"], plan.devices, strict=True):
        row["device"] = planned.device.model_dump(mode="json")
        row["fits"] = not planned.why_not
    record["prices"] = plan.table.model_dump(mode="json", exclude={"devices"})
    return record


def show(plan, name: str, console=None) -> None:
    """Print the plan for people."""
    from rich.console import Console

    console = console or Console()
    tokens, shape = plan.tokens, plan.shape
    exact = "실제 토큰" if tokens.exact else "추정"
    console.print(f"[bold]계획: {name}[/bold]  학생 {plan.student} ({shape.model_type}, {shape.layers}층)")
    console.print(
        f"예제 {tokens.examples:,}개, 토큰 p50 {tokens.p50:,} · p95 {tokens.p95:,} · 최대 {tokens.longest:,} "
        f"({exact}: {tokens.how})\n"
        f"상한을 넘는 예제 {tokens.over_cap:,}개 ({tokens.over_share:.2%}), 토큰당 {tokens.characters_per_token:.2f}글자, "
        f"학습되는 토큰 {tokens.answer_share:.0%}"
    )
    console.print(
        f"매개변수 {shape.parameters:,}개 (어휘 {shape.vocabulary:,}), 학습 {shape.trainable:,}개 "
        f"({shape.trainable / shape.parameters:.2%})"
    )
    for stage in plan.stages:
        console.print(_stage_line(stage))
    console.print(_memory_table(plan))
    console.print(_device_table(plan))
    for row in plan.devices:  # below the table: in a column they would leave no room for the figures at 80 columns
        if row.why_not:
            console.print(f"[red]·[/red] {row.device.name}: 들어가지 않습니다 ({row.why_not})", highlight=False)
    for line in (*plan.warnings, *_price_lines(plan.table)):
        console.print(f"[yellow]·[/yellow] {line}", highlight=False)


def _stage_line(stage) -> str:
    import math

    limits = []
    if math.isfinite(stage.epochs):
        steps = math.ceil(stage.epoch_steps * stage.epochs)
        limits.append(f"{stage.epochs:.2f} epoch = {steps:,} step, {stage.epoch_tokens * stage.epochs:,.0f} 토큰")
    if stage.max_minutes is not None:
        limits.append(f"{stage.max_minutes:g}분")
    padding = 1 - stage.epoch_tokens / stage.epoch_padded
    return (
        f"단계 {stage.name} ({stage.kind}): 한 epoch {stage.epoch_steps:,} step, {stage.epoch_tokens:,} 토큰 "
        f"(패딩 {padding:.1%}); 예산 {' 또는 '.join(limits)}; 가장 큰 pass {stage.largest.tokens:,} 토큰 "
        f"(그 가운데 로짓 {stage.largest.scored:,}곳)"
    )


def _table(title: str, first: str, others: tuple[str, ...]):
    """A table that is whole at 80 columns: narrow borders, and no cell is cut or broken."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _memory_table(plan):
    titles = ("가중치", "어댑터", "활성값", "로짓", "학습 합계", "생성 평가", "병합")
    table = _table("메모리 (GB)", "", titles)
    seen = {}
    for row in plan.devices:
        memory = row.memory
        values = (memory.weights, memory.adapters, memory.activations, memory.logits)
        totals = (memory.training, memory.generating, memory.merging)
        seen.setdefault(values + totals, []).append(row)
    for values, rows in seen.items():
        kinds = "/".join(dict.fromkeys(KINDS[row.device.kind] for row in rows))
        table.add_row(f"{kinds} {rows[0].dtype}", *(f"{value / 1e9:.2f}" for value in values))
    return table


def _device_table(plan):
    table = _table("시간과 비용", "장치", ("들어감", "토큰/초", "학습", "평가", "비용", "근거"))
    for row in plan.devices:
        basis = "측정" if row.device.basis == "measured" else "계산"
        if row.why_not:
            table.add_row(row.device.name, "[red]아니요[/red]", "", "", "", "", basis)
            continue
        cost = "" if row.usd is None else f"${row.usd:.2f}"
        table.add_row(
            row.device.name,
            "예",
            f"{row.tokens_per_second:,.0f}",
            _hours(row.training_hours),
            _hours(row.evaluation_hours),
            cost,
            basis,
        )
    return table


def _hours(hours: float) -> str:
    return f"{hours:.1f}시간" if hours >= 1 else f"{hours * 60:.1f}분"


def _price_lines(table) -> list[str]:
    dated = sorted({device.price_date for device in table.devices if device.price_date})
    lines = ["비용은 학습과 평가 시간만입니다. 내려받기, 병합, 변환, 저장 공간은 들어 있지 않습니다."]
    if dated:
        lines.append(
            f"가격은 {dated[0]} ~ {dated[-1]} 에 읽은 공개 목록입니다. 빌리기 전에 다시 확인하세요 (check before renting). "
            f"환율 {table.usd_krw:,.1f}원 ({table.usd_krw_date})."
        )
    lines.append("'계산' 은 이 프로젝트에서 재지 않은 속도입니다 (calculated, not measured): finetune/devices.yaml.")
    return lines
