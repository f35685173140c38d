"""The dataset card: what is in the folder, where it came from, under which terms, and what it cannot be trusted for."""

from __future__ import annotations

from collections.abc import Sequence

from data_gen.documents import Library
from data_gen.funnel import GATE_KOREAN, SOURCE_KOREAN, stages
from data_gen.hub_card import front_matter
from data_gen.korean_names import korean
from data_gen.review.log import Decisions
from data_gen.rows import Counts
from data_gen.settings import BuildConfig, OpenAISettings
from data_gen.teachers.staff import Staff

CARD = "README.md"
"""Its front matter is what opens the folder with `datasets.load_dataset`, and what the hub shows."""
_TAX_KOREAN = {"gift": "증여세", "income": "종합소득세", "vat_simplified": "간이과세 부가가치세", "corporate": "법인세"}
_GATES = {
    "schema": "교사의 응답이 정해진 JSON이고 빈 칸이 없다",
    "korean": "질문과 답변이 온전한 한국어다",
    "length": "길이가 정해진 범위 안이다",
    "private_data": "사람을 가리키는 번호(주민등록번호, 사업자등록번호, 전화, 계좌 등)가 없다",
    "conduct": "탈세를 돕거나 남의 정보를 캐는 조언이 아니다",
    "decontamination": "설정에 적은 평가 파일과 12어절 이상 겹치지 않는다 (적은 것이 없으면 확인하지 않음)",
    "citations": "인용한 조문이 기준일에 있고 삭제되지 않았다 (색인에 없는 법은 확인하지 못함)",
    "amounts": "계산 예제와 계산 문항: call, payable, 답변의 세액이 1원까지 같고 검증기가 잘못을 찾지 못했다",
    "verify": "문서에서 온 쌍: 검증기가 잘못을 찾지 못했고, 금액이 모두 질문·근거·계산에 있다",
    "judge": "판정 모델이 근거에 어긋난다고 하지 않았다 (쓰지 않았으면 0)",
    "review": "사람이 거절하지 않았다",
    "duplicate": "같은 질문이 없고, 숫자와 조문까지 같은 비슷한 질문이 없다 (숫자가 다르면 다른 질문)",
}


def dataset_card(
    config: BuildConfig,
    staff: Staff,
    library: Library,
    counts: Counts,
    decisions: Decisions,
    gates: Sequence[str],
    asked: bool,
    judge_measured: str = "",
) -> str:
    """The card in Markdown, Korean first, every count from the run itself.  ``asked``: there were documents to ask about.

    ``judge_measured``: precision and recall of the judge on the golden set, in words; empty when nobody measured them.
    """
    by_source = [
        f"| {SOURCE_KOREAN[source]} (`{source}`) | {cell['requested']:,} | {cell['accepted']:,} | {cell['rejected']:,} | {cell['failed']:,} |"
        for source, cell in counts.by_source.items()
    ]
    by_tax = [f"| {_TAX_KOREAN.get(tax, tax)} | {number:,} |" for tax, number in sorted(counts.by_tax.items())]
    funnel = [
        f"| {GATE_KOREAN[name]} (`{name}`) | {_GATES[name]} | {out:,} | {left:,} |"
        for name, left, out in stages(counts, gates)
        if name in _GATES
    ]
    by_style = [f"| {korean('style', style)} (`{style}`) | {number:,} |" for style, number in counts.by_style.items()]
    head = front_matter(config.name, counts.by_split)
    return head + "\n".join(
        [
            f"# {config.name}: 한국 세법 질문·답변 데이터셋",
            "",
            f"기준일(as of) {config.as_of} · 씨앗(seed) {config.seed} · 학습 {counts.by_split['train']:,}행 · 검증 {counts.by_split['validation']:,}행"
            f" · 시험 {counts.by_split['test']:,}행",
            "",
            "> **세무 자문이 아닙니다.** 학습과 연구를 위한 자료이며 세무사법 제2조의 세무대리를 대신하지 않습니다. 실제 신고는 세무사 또는",
            "> 국세청(126)에 확인하세요. This is not tax advice.",
            "",
            f"요청 {counts.requested:,} = 채택 {counts.accepted:,} + 거절 {counts.rejected:,} + 실패 {counts.failed:,}"
            " (requested = accepted + rejected + failed)",
            "",
            "## 출처별 (by source)",
            "",
            "| 출처 | 요청 | 채택 | 거절 | 실패 |",
            "|---|---:|---:|---:|---:|",
            *by_source,
            "",
            "## 세목별 채택 (accepted by tax)",
            "",
            "| 세목·분야 | 행 |",
            "|---|---:|",
            *by_tax,
            "",
            "## 문체·과제별 채택 (accepted by style)",
            "",
            "| 문체·과제 | 행 |",
            "|---|---:|",
            *by_style,
            "",
            "## 관문 (gates)",
            "",
            "| 관문 | 뜻 | 걸러진 수 | 남은 수 |",
            "|---|---|---:|---:|",
            *funnel,
            "",
            "거절된 쌍은 관문의 이름과 사유와 함께 `rejected.jsonl`에 있습니다. 그림: `funnel.png`.",
            "",
            "## 어디서 왔나 (where it comes from)",
            "",
            f"- {library.origin}",
            "- 해석 사례: 파이썬 패키지 `korean-tax-mcp`(MIT, Upstage)에 든 국세청 사례집 2025."
            if config.documents.casebook and config.documents.casebook_file is None
            else "- 해석 사례: 설정에 적은 파일에서 읽었거나 쓰지 않았습니다.",
            f"- 교사(teacher): {_teacher_line(staff, asked)}",
            *(
                [
                    f"- 판정 모델(judge): `{staff.judge[1].model}`. 결과는 각 행의 `provenance.judge`. "
                    + (judge_measured or "이 판정 모델의 정밀도와 재현율은 재지 않았습니다 (`data_gen judge-check`).")
                ]
                if staff.judge
                else []
            ),
            *(f"- {line}" for line in decisions.report()),
            "- 계산 예제: 질문은 틀에서, 답변은 이 프로젝트의 계산기에서 나왔습니다. 모델이 쓰지 않았습니다.",
            "",
            "## 이용 조건 (licences)",
            "",
            "- 법령과 행정해석은 저작권법 제7조에 따라 저작권의 보호를 받지 않습니다.",
            "- 사례집을 묶은 패키지 `korean-tax-mcp`는 MIT입니다. 사례집 자체에는 따로 이용 조건이 적혀 있지 않습니다.",
            "- 요약(digest), 녹음된 답변, 질문의 틀은 이 프로젝트의 글이며 MIT입니다.",
            "- 실시간 교사의 답변에는 그 제공자의 약관이 함께 적용됩니다.",
            "",
            "## 한계 (limits)",
            "",
            "- 조문은 기준일에 있는지만 확인합니다. 조문의 내용을 바르게 옮겼는지는 금액과 인용의 범위에서만 대조합니다.",
            "- 법령 폴더의 원문에는 공포되었으나 부칙으로 시행이 늦춰진 문구가 섞여 있을 수 있습니다.",
            "- 세법 색인에 없는 법(예: 민법)의 조문은 확인하지 못한 채 남을 수 있습니다.",
            "- 해석 사례의 행은 회신일의 법을 말합니다(`as_of`). 그 뒤 바뀌었을 수 있습니다.",
            "- 계산 예제의 전제(거주자, 다른 소득 없음 등)는 답변에 적혀 있습니다. 가산세와 지방소득세는 넣지 않습니다.",
            "- 문서에서 온 행은 문서, 해석 사례, 조문, 12어절이 서로 다른 묶음에 걸치지 않게 나눴습니다.",
            "- 계산 예제는 같은 사례(금액)가 학습과 검증에 함께 들지 않게 나눴습니다. 질문의 틀과 조문은 겹칩니다. 그래서 처음 보는",
            "  말투에서의 정확도는 검증 묶음의 정확도보다 낮을 수 있습니다 (question templates are shared between the splits).",
            "",
            "AI로 만든 내용이 들어 있을 수 있습니다 (인공지능기본법 제31조). Contains AI-generated content where the teacher is a model.",
            "",
        ]
    )


def _teacher_line(staff: Staff, asked: bool) -> str:
    if not asked:
        return "쓰지 않음."
    if isinstance(staff.settings, OpenAISettings):
        return f"`{staff.settings.model}` (OpenAI 호환 주소, 실시간 모델)."
    return "`recorded`. 이 프로젝트를 위해 미리 적어 둔 답변이며 **실시간 모델의 응답이 아닙니다** (not a live model)."
