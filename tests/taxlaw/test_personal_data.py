import pytest

from taxlaw.personal_data import personal_data


@pytest.mark.parametrize(
    "text",
    ["주민등록번호 850101-1234566", "220101-3000000", "사업자 124-81-00998", "010-1234-5678로 전화", "계좌 123-456-789012", "kim@example.com"],
)  # fmt: skip
def test_numbers_that_name_a_person_are_found(text):
    ((message, span),) = personal_data(text)
    assert "개인정보" in message
    assert text[slice(*span)].strip("계좌 ") not in message  # the report does not spread it further


@pytest.mark.parametrize(
    "text",
    ["850101-1234567", "850101-1******", "서면-2023-법규기본-2039", "2015두46963", "601,400,000원", "국번 없이 126", "계좌 075-121-694***"],
)  # fmt: skip
def test_other_numbers_are_left_alone(text):
    assert personal_data(text) == []
