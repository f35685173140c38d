"""What the values of a dataset are called on the review page and in the report; an unknown value keeps its own name."""

from __future__ import annotations

from data_gen.funnel import GATE_KOREAN, SOURCE_KOREAN

_SPLITS = {"train": "학습", "validation": "검증", "test": "시험", "rejected": "거절"}
_STYLES = {
    "expert": "전문가",
    "plain": "쉬운 말",
    "worked": "계산 예제",
    "scenario": "사례",
    "calculation": "계산",
    "followup": "이어 묻기",
    "law_change": "법 개정",
    "ask_back": "되묻기",
    "refusal": "거절 답변",
    "labelled": "라벨 없는 질문",
}
_TAXES = {"gift": "증여세", "income": "종합소득세", "vat_simplified": "간이과세", "corporate": "법인세(계산)"}
_NAMES = {
    "split": _SPLITS,
    "style": _STYLES,
    "tax": _TAXES,
    "gate": GATE_KOREAN,
    "source": SOURCE_KOREAN,
    "decision": {"accept": "채택", "edit": "고침", "reject": "거절", "undo": "되돌림"},
    "severity": {"fault": "잘못", "unchecked": "미확인", "confirmed": "확인"},
    "finding": {"citation": "인용", "number": "금액", "calculation": "계산", "contradiction": "모순", "form": "형식"},
}


def korean(kind: str, value: str) -> str:
    """The Korean name of a value of ``kind`` (split, style, tax, gate, source, decision, severity, finding)."""
    return _NAMES[kind].get(value, value)
