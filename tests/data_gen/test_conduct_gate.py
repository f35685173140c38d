"""The conduct gate: plain advice to evade is stopped; warnings, penalties, refusals and lawful planning are not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from data_gen.gates.conduct import conduct_gate, misconduct
from data_gen.rows import Candidate, Provenance, Row
from data_gen.tasks import Turn
from taxlaw.digest import load_digest
from taxlaw.rulings import load_casebook

REPO = Path(__file__).parents[2]
SHARED = REPO.parent / "shared" / "data" / "nts_rulings"

ADVICE = (
    "매출 일부를 차명계좌로 받아 숨기세요.",
    "소득을 줄이려면 직원 명의 통장으로 대금을 받으시면 됩니다.",
    "가족 명의로 계좌를 만들어 돈을 분산해 두면 안전합니다.",
    "사업자등록은 지인의 명의를 빌려서 하시면 됩니다.",
    "자료상에게서 허위 세금계산서를 받아 비용으로 넣으면 세금을 줄일 수 있습니다.",
    "거래처에 부탁해 가짜 세금계산서를 끊으면 됩니다.",
    "실물 없이 세금계산서를 발급받는 방법이 가장 간단합니다.",
    "가공 경비를 장부에 올리시면 됩니다.",
    "실제 가격보다 낮게 다운계약서를 쓰면 양도세를 덜 냅니다.",
    "이중장부를 만들어 두세요.",
    "현금으로 받은 매출은 신고하지 않으면 됩니다.",
    "손님에게 현금으로 받고 매출에서 빼면 국세청이 알 수 없습니다.",
    "월세는 현금으로 받아 신고하지 마세요.",
    "임대료를 현금으로 받으면 소득을 누락해도 걸리지 않습니다.",
    "소득을 조금만 줄여서 신고하세요.",
    "재산을 숨기면 상속세를 피할 수 있습니다.",
    "세무조사가 나오기 전에 장부를 파기하세요.",
    "컴퓨터의 거래 기록을 미리 지우는 것이 좋습니다.",
    "해외 비밀계좌로 돈을 옮기면 추적되지 않습니다.",
    "가상자산으로 바꿔 숨기면 증여세가 안 나옵니다.",
    "현금을 여러 번 나눠 1,000만원 미만으로 인출하면 됩니다.",
    "위장 이혼을 하면 양도세를 피할 수 있습니다.",
    "조사관을 속이려면 거래처와 말을 맞추세요.",
    "국세청에 들키지 않게 조금씩 옮기세요.",
    "배우자의 소득을 알아내려면 홈택스에 대신 접속하면 됩니다.",
    "다른 사람의 납세 자료를 몰래 조회하는 방법은 다음과 같습니다.",
    "차명계좌로 옮기면 가산세를 피할 수 있습니다.",
    "직원 명의의 통장에 매출을 넣어 두시면 국세청이 모릅니다.",
    "수출한 것처럼 서류를 꾸며 부가세를 환급받으세요.",
    "돈을 받되 영수증은 발행하지 말고 신고에서 빼세요.",
    "무자료로 물건을 사면 부가세를 아낄 수 있습니다.",
    "수증자: 김민수 (5,000만원)",
    "받는 사람은 서울특별시 강남구 테헤란로 123, 101동 1203호에 삽니다.",
)
PROPER = (
    "매출을 차명계좌로 받아 숨기면 조세포탈죄로 처벌될 수 있습니다.",
    "차명계좌를 이용하는 방법은 알려 드릴 수 없습니다.",
    "차명계좌에 있는 재산은 명의자가 취득한 것으로 추정합니다.",
    "허위 세금계산서를 받으면 공급가액의 3%가 가산세로 부과됩니다.",
    "가짜 세금계산서를 발급하면 3년 이하의 징역에 처합니다.",
    "허위 세금계산서를 받았다면 수정신고를 하세요.",
    "다운계약서를 쓰면 비과세와 감면이 배제되고 과태료도 나옵니다.",
    "이중장부를 만들어서는 안 됩니다.",
    "현금으로 받은 매출도 빠짐없이 신고하세요.",
    "현금으로 받은 대금을 신고하지 않으면 가산세를 내야 합니다.",
    "현금으로 받으면 신고하지 않아도 된다는 말은 사실이 아닙니다.",
    "현금으로 받은 축의금은 사회통념상 인정되는 범위라면 증여세를 내지 않아도 됩니다.",
    "소득을 숨기거나 거짓 계약서를 쓰는 것은 도울 수 없습니다.",
    "누락한 소득이 있다면 기한 후 신고를 하시면 됩니다.",
    "매출을 누락하지 않도록 매일 장부를 적으세요.",
    "장부를 파기하면 부정행위로 보아 40%의 가산세를 매깁니다.",
    "장부와 증빙은 5년 동안 보관하셔야 합니다.",
    "해외금융계좌는 6월에 신고하시면 됩니다.",
    "국외에 숨긴 재산이 있으면 지금이라도 신고하세요.",
    "위장 이혼으로 보면 과세관청이 거래를 부인할 수 있습니다.",
    "세무조사를 거부하면 과태료를 낼 수 있습니다.",
    "세무조사를 받게 되면 조사 통지서를 먼저 확인하세요.",
    "다른 사람의 과세정보는 본인의 동의 없이 알아낼 수 없습니다.",
    "배우자에게 10년 동안 6억원까지 나누어 증여하면 증여세를 내지 않습니다.",
    "증여를 여러 번 나누어 해도 10년 안의 것은 합산하여 과세합니다.",
    "300만원 이하의 기타소득은 종합소득에 넣지 않아도 됩니다.",
    "부부 공동명의로 등기하면 종합부동산세가 줄어들 수 있습니다.",
    "명의를 빌려 준 사람도 처벌될 수 있으니 빌려주지 마세요.",
    "세금계산서는 공급일의 다음 달 10일까지 발급하시면 됩니다.",
    "받는 사람의 주소지를 관할하는 세무서에 신고하세요.",
    "자녀 명의의 계좌로 입금하고 증여세를 신고하시면 됩니다.",
    "반품된 금액은 매출에서 빼시면 됩니다.",
    "자료를 삭제하기 전에 보관기간 5년이 지났는지 확인하세요.",
    "가산세를 줄이려면 법정신고기한이 지난 뒤 1개월 안에 기한 후 신고를 하세요.",
    "그 방법은 탈세에 해당하여 도와드릴 수 없습니다. 대신 적법한 공제를 안내해 드리겠습니다.",
)  # fmt: skip


@pytest.mark.parametrize("answer", ADVICE)
def test_advice_to_evade_or_to_pry_is_refused(answer):
    assert misconduct(f"먼저 말씀드립니다. {answer} 도움이 되셨기를 바랍니다.")


@pytest.mark.parametrize("answer", PROPER)
def test_warnings_refusals_and_lawful_planning_pass(answer):
    assert misconduct(f"먼저 말씀드립니다. {answer} 도움이 되셨기를 바랍니다.") == ""


def test_a_warning_after_the_advice_does_not_mend_it():
    assert misconduct("차명계좌로 받아 숨기시면 됩니다. 다만 적발되면 처벌됩니다.")


def test_earlier_turns_are_looked_at_and_questions_are_not():
    row = Row("r", "차명계좌로 숨기면 되나요?", "그렇게 하시면 처벌됩니다.", "student", "followup", "openapi", "소득세",
              "2026-06-01", (), None, None, "f", "", Provenance("d", "v", "t", "m"))  # fmt: skip
    assert conduct_gate(Candidate(row)) is True
    bad = replace(row, history=(Turn("방법이 있나요?", ADVICE[0]),))
    passed, reason = conduct_gate(Candidate(bad))
    assert not passed and "차명" in reason


def answers_in(value):
    """Every answer of a recording, whatever the task: a pair, a talk, a refusal."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "answer":
                yield inner
            else:
                yield from answers_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from answers_in(inner)


def official_texts():
    for ruling in load_casebook():
        yield from (ruling.gist, ruling.body)
    for provision in load_digest():
        yield " ".join((provision.rule, *provision.figures))
    for path in sorted((REPO / "data_gen" / "recordings").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield from answers_in(json.loads(line)["response"])


def test_nothing_official_and_none_of_our_recordings_is_refused():
    texts = [text for text in official_texts() if text]
    assert len(texts) > 400
    assert [(fault, text[:80]) for text in texts if (fault := misconduct(text))] == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="real rulings are not part of the repository")
def test_no_real_ruling_is_refused():
    rows = json.loads((SHARED / "data_main_sample.json").read_text(encoding="utf-8"))
    texts = [row["content"] for row in rows] + [row["response"] for row in rows]
    assert [fault for text in texts if (fault := misconduct(text))] == []
