"""report.md of an evaluation: the models side by side, then by style and tax, what was wrong, and answers to compare."""

from __future__ import annotations

from finetune.evaluation.summary import HELD_OUT, METRICS, NEEDS_STYLE, Metric
from finetune.evaluation.survival import EXPLANATION, percent, survival_markdown

STYLES = {
    "worked": "계산",
    "expert": "전문가 문답",
    "plain": "쉬운 문답",
    "scenario": "사례",
    "calculation": "계산 문답",
    "followup": "이어 묻기",
    "law_change": "개정",
    "ask_back": "되묻기",
    "refusal": "거절",
    "labelled": "판단",
}
HELD_OUT_KINDS = {  # of what about a row no training row has
    "": "처음 보는 금액·문서 (표현은 학습에 있음)",
    "wordings": "처음 보는 표현",
    "combinations": "처음 보는 조합",
    "documents": "처음 보는 문서",
}
TAXES = {  # of worked rows; a row from a document already has its tax in Korean
    "gift": "증여세",
    "income": "종합소득세",
    "vat_simplified": "간이과세 부가가치세",
    "vat_general": "일반과세 부가가치세",
    "corporate": "법인세",
    "inheritance": "상속세",
    "retirement": "퇴직소득세",
    "capital_gains": "양도소득세",
    "holding": "종합부동산세",
    "acquisition": "취득세",
    "property": "재산세",
    "withholding": "원천징수세액",
    "penalty": "가산세",
}


def report_markdown(record: dict) -> str:
    """The whole report from eval.json."""
    models = record["models"]
    parts = [
        "# 평가 (evaluation)",
        _heading(record),
        "## 단계마다 무엇이 남았나 (survival table)",
        survival_markdown(record["survival"]),
        EXPLANATION,
        "## 나란히 (side by side)",
        measures_table(record),
        "괄호는 부트스트랩 95% 구간 (행을 2,000번 다시 뽑음, 시드 고정; 0% 와 100% 는 Wilson). `–` 는 해당하는 행이 없음.\n"
        "계산기 호출로 답한 것은 서비스와 똑같이 코드가 풀이로 완성한 뒤 글을 비교하고(완성한 답), 모델이 쓴 글도 따로 잽니다(쓴 그대로).\n"
        "잘못이 없다는 것은 맞다는 뜻이 아닙니다: 질문을 되풀이하기만 한 답에도 잘못은 없습니다. 그래서 확인된 것이 있는 답을 따로 셉니다.\n"
        "ROUGE-L 과 BLEU 는 형태소(kiwipiepy) 단위이며, 말이 비슷한지를 잴 뿐 맞는지를 재지 않습니다.",
        "## 문체별 (by style)",
        _styles_table(models),
        "## 세목별 최종 세액 정답률 (exact by tax)",
        _taxes_table(models),
        *_held_out(models),
        "## 검증기가 찾은 잘못 (faults by kind)",
        _reasons_table(models),
    ]
    if any("judge" in model for model in models.values()):
        parts += ["## 판정 모델의 비교 (LLM judge)", _judge_table(record)]
    parts += ["## 답 견주기 (samples)", _samples(record)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def measures_table(record: dict, keys: tuple[str, ...] | None = None) -> str:
    """Every measure as a line, every model as a column; ``keys`` picks some."""
    models = record["models"]
    lines = [_row(["측정", *(model["title"] for model in models.values())]), _row(["---"] * (len(models) + 1))]
    lines.append(_row(["행 (rows)", *(str(model["rows"]) for model in models.values())]))
    for metric in METRICS:
        if keys is not None and metric.key not in keys:
            continue
        found = [model["measures"].get(metric.key) for model in models.values()]
        if any(found):
            lines.append(_row([metric.korean, *(cell(metric, one) for one in found)]))
        elif metric.key in NEEDS_STYLE:
            absent = f"{STYLES[NEEDS_STYLE[metric.key]]} 행 없음 (no rows)"
            lines.append(_row([metric.korean, *([absent] * len(models))]))
    return "\n".join(lines)


def cell(metric: Metric, estimate: dict | None) -> str:
    """One estimate as the table shows it."""
    if estimate is None:
        return "–"
    if metric.form == "share":
        return f"{percent(estimate)} n={estimate['rows']}"
    scale = 100 if metric.form == "hundred" else 1
    digits = 3 if metric.key.startswith("nll") else 1
    value, low, high = (scale * estimate[key] for key in ("value", "low", "high"))
    return f"{value:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def _heading(record: dict) -> str:
    lines = [
        f"- 데이터: `{record['dataset']}` 의 {record['split']} ({record['sha256'][:12]}), {record['rows']}행:"
        f" {', '.join(f'{STYLES[style]} {count}' for style, count in record['styles'].items())}",
        f"- 답의 한도: 계산 {record['caps']['worked']}토큰, 그 밖 {record['caps']['words']}토큰, greedy",
        f"- 기계: {record['machine']}",
    ]
    if shown := record.get("with_evidence"):
        lines.append(f"- 근거와 함께 물은 행 (retrieval on): {shown}행; 서비스와 같은 함수로 근거를 질문 앞에 붙임")
    if record["split"] == "validation":
        lines.append(
            "- validation 은 조기 종료와 설정 고르기에 쓰였을 수 있어, 고르는 데 쓰지 않은 test 보다 높게 나올 수 있습니다."
        )
    return "\n".join(lines)


def _styles_table(models: dict[str, dict]) -> str:
    metrics = {metric.key: metric for metric in METRICS}
    lines = [
        _row(["문체", "모델", "행", "최종 세액", "검증기가 확인", "맞는 조문", "ROUGE-L", "BLEU", "NLL/토큰"]),
        _row(["---"] * 9),
    ]
    for style in dict.fromkeys(style for model in models.values() for style in model["per_style"]):
        for model in models.values():
            group = model["per_style"].get(style)
            if group is None:
                continue
            shown = ("exact", "verified", "right_article", "rouge_l", "bleu", "nll_token")
            cells = [_short(metrics[key], group["measures"][key]) for key in shown]
            lines.append(_row([STYLES[style], model["title"], str(group["rows"]), *cells]))
    return "\n".join(lines)


def _short(metric: Metric, estimate: dict | None) -> str:
    if metric.form == "share":
        return percent(estimate)
    return cell(metric, estimate).split(" (")[0]


def _taxes_table(models: dict[str, dict]) -> str:
    taxes = list(dict.fromkeys(tax for model in models.values() for tax in model["per_tax"]))
    if not taxes:
        return "세액이 정해진 행이 없습니다 (no rows)."
    lines = [_row(["세목", *(model["title"] for model in models.values())]), _row(["---"] * (len(models) + 1))]
    for tax in taxes:
        found = [model["per_tax"].get(tax) for model in models.values()]
        cells = [f"{percent(one)} n={one['rows']}" if one else "–" for one in found]
        lines.append(_row([TAXES.get(tax, tax) or "세목을 알 수 없음", *cells]))
    return "\n".join(lines)


def _held_out(models: dict[str, dict]) -> list[str]:
    """The section on rows of kinds that training has none of; empty when there are no such rows."""
    kinds = list(dict.fromkeys(kind for model in models.values() for kind in model.get("per_held_out", {})))
    if not any(kinds):
        return []
    metrics = {metric.key: metric for metric in METRICS}
    lines = [_row(["종류", "모델", "행", *(metrics[key].korean for key in HELD_OUT)])]
    lines.append(_row(["---"] * (3 + len(HELD_OUT))))
    taxes = list(dict.fromkeys(tax for model in models.values() for tax in model["per_tax"]))
    by_tax = [_row(["종류", "모델", *(TAXES.get(tax, tax) for tax in taxes)]), _row(["---"] * (2 + len(taxes)))]
    for kind in kinds:
        for model in models.values():
            if (group := model["per_held_out"].get(kind)) is None:
                continue
            head = [HELD_OUT_KINDS.get(kind, kind), model["title"]]
            shares = [cell(metrics[key], group["measures"][key]) for key in HELD_OUT]
            lines.append(_row([*head, str(group["rows"]), *shares]))
            found = [group["per_tax"].get(tax) for tax in taxes]
            by_tax.append(_row([*head, *(f"{percent(one)} n={one['rows']}" if one else "–" for one in found)]))
    return ["## 학습에 없던 종류별 (held-out kinds)", "\n".join(lines), *(["\n".join(by_tax)] if taxes else [])]


def _reasons_table(models: dict[str, dict]) -> str:
    reasons = list(dict.fromkeys(reason for model in models.values() for reason in model["reasons"]))
    if not reasons:
        return "분류된 잘못이 없습니다 (none)."
    lines = [_row(["잘못", *(model["title"] for model in models.values())]), _row(["---"] * (len(models) + 1))]
    lines += [
        _row([reason, *(str(model["reasons"].get(reason, 0)) for model in models.values())]) for reason in reasons
    ]
    return "\n".join(lines)


def _judge_table(record: dict) -> str:
    lines = [
        f"{record['judge']['model']} 이 {record['judge']['against']} 와 견줌: 누가 썼는지 가리고, 순서를 바꾸어 두 번. 점수 = 이김 1, 비김 0.5.",
        "",
        _row(["모델", "점수", "이김", "비김", "짐", "자리에 끌림", "읽지 못함"]),
        _row(["---"] * 7),
    ]
    for model in record["models"].values():
        if one := model.get("judge"):
            counts = (one["win"], one["tie"], one["loss"], one["swayed_by_place"], one["unread"])
            lines.append(_row([model["title"], percent(one["score"]), *map(str, counts)]))
    return "\n".join(lines)


def _samples(record: dict) -> str:
    blocks = []
    for sample in record["samples"]:
        lines = [f"**{sample['question']}**  ({STYLES[sample['style']]}, `{sample['id']}`)", ""]
        lines += [f"- 행의 답: {_quoted(sample['answer'])}"]
        lines += [
            f"- {record['models'][name]['title']}: {_quoted(said['written'])}{' ✔' if said['exact'] else ''}"
            for name, said in sample["answers"].items()
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _quoted(text: str, most: int = 240) -> str:
    """One line of Markdown code: a model's text must not become markup of the report."""
    line = " ".join(text.split()).replace("`", "'")
    return f"`{line[:most]}{'…' if len(line) > most else ''}`" if line else "(빈 답)"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
