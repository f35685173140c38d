"""Every fact of every calculator call has a Korean name: a reader never meets a key of the code."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest

from serve.call_labels import LABELS, TAXES, korean_facts
from taxlaw.call_models import MODELS
from taxlaw.calls import CorporateCall, GiftCall, IncomeCall, VatSimplifiedCall, call_text, parse_call

CALLS = {
    "gift": GiftCall,
    "income": IncomeCall,
    "vat_simplified": VatSimplifiedCall,
    "corporate": CorporateCall,
    **MODELS,
}
KEYS = [(tax, key) for tax, model in CALLS.items() for key in model.model_fields if key not in ("tax", "year")]


def test_every_tax_has_a_name() -> None:
    assert set(TAXES) == set(CALLS) == set(LABELS)
    assert all(get_args(model.model_fields["tax"].annotation) == (tax,) for tax, model in CALLS.items())


@pytest.mark.parametrize(("tax", "key"), KEYS)
def test_every_key_has_a_korean_label(tax: str, key: str) -> None:
    assert re.search(r"[가-힣0-9]", LABELS[tax][key]), f"{tax}.{key}에 한국어 이름이 없습니다"


@pytest.mark.parametrize("tax", CALLS)
def test_no_label_is_left_over_or_used_twice(tax: str) -> None:
    assert set(LABELS[tax]) <= set(CALLS[tax].model_fields)
    assert len(set(LABELS[tax].values())) == len(LABELS[tax])


def facts(call: str) -> dict[str, str]:
    return dict(korean_facts(json.loads(call_text(parse_call(call)))))


def test_values_read_as_korean() -> None:
    assert facts('{"tax":"retirement","pay":"3억원","start":"2010-03-02","end":"2025-12-31"}') == {
        "세목": "퇴직소득세",
        "퇴직소득금액": "3억원",
        "근속 시작일": "2010년 3월 2일",
        "퇴직일": "2025년 12월 31일",
    }
    inheritance = facts('{"tax":"inheritance","estate":2000000000,"spouse":true,"children":2,"minors":[3,9]}')
    assert inheritance["총상속재산가액"] == "20억원" and inheritance["배우자가 있음"] == "예"
    assert inheritance["자녀"] == "2명" and inheritance["미성년자마다 19세까지의 햇수"] == "3년, 9년"
    assert facts('{"tax":"acquisition","value":"6억원","adjusted":false}')["조정대상지역"] == "아니요"


def test_one_key_means_different_things_to_two_taxes() -> None:
    assert facts('{"tax":"holding","official_price":"12억원"}')["공시가격 합계"] == "12억원"
    assert facts('{"tax":"property","official_price":"12억원"}')["시가표준액"] == "12억원"
