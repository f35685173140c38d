"""Writes model_card.md from the run record and nothing else, so that the card cannot say what was not measured."""

from __future__ import annotations

import jinja2

GEMMA_TERMS = "https://ai.google.dev/gemma/terms"

_TEMPLATE = """\
---
language: ko
license: {{ "gemma" if base.licence == "gemma" else "other" }}
tags: [korean, tax-law, lora, gguf]
---
# {{ student.gguf }}

{{ disclaimer }}

한국 세법 질문에 답하는 작은 모델입니다. {% if student.style == "program" -%}
계산 문제에는 계산기 호출(한 줄 JSON)로 답하고, 금액은 코드가 계산합니다.
{%- else -%}
계산 문제에 풀이를 직접 씁니다. 모델이 쓴 숫자는 검증기를 거쳐야 합니다.
{%- endif %}
*A small student for Korean tax questions, distilled from verified pairs. Generated text is AI output.*

## 정답률 (exact answers on held-out worked examples)

| 모델 | 정답률 | 문항 | 스스로 끝냄 | {{ taxes | join(" | ") }} |
|---|---|---|---|{{ "---|" * (taxes | length) }}
{% for name, record in eval.items() -%}
| {{ names[name] }} | {{ percent(record.exact) }} | {{ record.right }}/{{ record.rows }} | {{ percent(record.ended_by_stop) }} |
{%- for tax in taxes %} {{ percent(record.per_tax[tax].exact) if tax in record.per_tax else "–" }} |{% endfor %}
{% endfor %}
정답 = 마지막 세액이 계산기의 세액과 1원까지 같음. 표본이 작아서 {{ eval.student.rows }}문항 정답률의 95% 구간은
{{ percent(interval[0]) }}–{{ percent(interval[1]) }} 입니다 (Wilson).
질문은 학습 데이터와 같은 틀에서 나왔지만 학습에 쓰이지 않은 것입니다. 다르게 쓴 질문에서는 더 낮을 수 있습니다.

## Base 와 조건

- Base: {{ base.source }}
{%- if base.from_quantised %}
- 이 base 는 {{ base.from_quantised }} 로 양자화된 파일을 되돌린 것으로, 원래의 bf16 가중치가 **아닙니다**
  (weights were rounded to {{ base.from_quantised }} before training; not the original bfloat16 release).
{%- endif %}
{%- if base.vocabulary %}
- 어휘를 {{ "{:,}".format(base.vocabulary.before) }}개에서 {{ "{:,}".format(base.vocabulary.pieces) }}개로 줄였습니다. 한글·숫자·ASCII
  글자·바이트 조각은 모두 남아 있어 어떤 글도 쓸 수 있지만, 한국어 세법이 아닌 글은 더 잘게 나뉩니다.
{%- endif %}
- 조건: {% if base.licence == "gemma" %}Gemma 파생 모델입니다. Gemma Terms of Use ({{ terms }}) 와 Prohibited Use Policy 를 따르며, 재배포할 때
  같은 조건과 이 변경 고지를 전해야 합니다. *Gemma is provided under and subject to the Gemma Terms of Use.*
{%- else %}{{ base.licence }}{% endif %}

## 데이터

- 데이터셋 `{{ data.dataset }}` (train {{ data.train_sha256[:12] }}, validation {{ data.validation_sha256[:12] }}; SHA-256 앞 12자)
- 학습 행 {{ data.train_rows }}, 검증 행 {{ data.validation_rows }}, 실제로 학습에 쓴 예제 {{ "{:,}".format(data.trained_on) }}개
- 교사: {{ data.teachers | join(", ") }} (`recorded` = 이 프로젝트를 위해 적어 둔 답, `calculator` = 코드가 계산한 예제)

## 학습

- {{ train.steps }} step, {{ train.epochs }} epoch, {{ "{:,}".format(train.tokens) }} 토큰 (답 {{ "{:,}".format(train.target_tokens) }}),
  {{ "%.1f" | format(train.seconds / 60) }}분, {{ train.tokens_per_second }} tokens/s
- 답 토큰당 손실 {{ train.first_loss }} → {{ train.last_loss }} (`loss.png`)
- LoRA r={{ config.lora.r }}, alpha={{ config.lora.alpha }}, {{ config.lora.targets | join(", ") }};
  {{ "{:,}".format(train.trainable) }} / {{ "{:,}".format(train.parameters) }} 파라미터
- 학습률 {{ config.train.learning_rate }} ({{ config.train.schedule }}), 묶음 {{ config.train.batch_size }} × {{ config.train.accumulate }}, 시드 {{ config.seed }}
- {{ machine.platform }}, {{ machine.why }}, {{ machine.dtype }}; {% for name, version in machine.versions.items() %}{{ name }} {{ version }}{{ ", " if not loop.last }}{% endfor %}

## 파일과 확인

- `{{ student.gguf }}` {{ "%.0f" | format(student.bytes / 1e6) }} MB, SHA-256 `{{ student.sha256 }}`
- 토큰 번호: {{ parity.token_texts }}개 문장에서 Hugging Face 와 llama.cpp 가 같음
- greedy 답: 합친 가중치와 양자화 전 GGUF 가 {{ parity.tokens }}개 토큰 가운데 {{ parity.tokens_agreed }}개에서 같음

## 한계

- 계산기가 있는 세목(증여세, 종합소득세, 간이과세 부가가치세, 법인세)의 정형 질문만 재었습니다. 그 밖의 세법 지식은 재지 않았습니다.
- {{ "{:,}".format(train.parameters) }} 파라미터 모델은 세법 전체를 외우지 못합니다. 조문과 금액은 반드시 검증기와 원문으로 확인하세요.
- 질문의 사실을 잘못 옮길 수 있습니다. 그때 계산은 맞아도 답은 틀립니다.
"""

DISCLAIMER = (
    "> **세무 자문이 아닙니다.** 세무대리와 세무상담은 세무사법 제2조·제20조에 따라 자격 있는 사람의 일입니다. "
    "이 모델의 글은 AI 생성물입니다(AI 기본법 제31조). *Not tax advice; AI-generated output.*"
)
NAMES = {"base": "학습 전 base", "adapter": "학습 후 (adapter)", "student": "**최종 GGUF**"}


def render_card(record: dict) -> str:
    """Markdown of the card; a key missing from ``record`` is an error, not a blank."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)
    student = record["eval"]["student"]
    return environment.from_string(_TEMPLATE).render(
        **record,
        disclaimer=DISCLAIMER,
        terms=GEMMA_TERMS,
        names=NAMES,
        taxes=sorted(student["per_tax"]),
        interval=wilson_interval(student["right"], student["rows"]),
        percent=lambda share: f"{share:.0%}",
    )


def wilson_interval(right: int, rows: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927)."""
    z = 1.96
    share = right / rows
    centre = share + z * z / (2 * rows)
    spread = z * ((share * (1 - share) + z * z / (4 * rows)) / rows) ** 0.5
    scale = 1 + z * z / rows
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
