import pytest

from taxlaw.personal_data import find_personal_data, personal_data


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


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("주민등록번호 8501011234566 을 적었다", "주민등록번호(외국인등록번호)", "8501011234566"),
        ("주민번호: 850101-1234567", "주민등록번호(외국인등록번호)", "850101-1234567"),
        ("８５０１０１－１２３４５６６", "주민등록번호(외국인등록번호)", "８５０１０１－１２３４５６６"),
        ("사업자등록번호 1248100998 의 상호", "사업자등록번호", "1248100998"),
        ("사무실 02-397-1200으로", "전화번호", "02-397-1200"),
        ("문의 (044) 204-3112", "전화번호", "(044) 204-3112"),
        ("인터넷전화 070-4123-5678", "전화번호", "070-4123-5678"),
        ("국민은행 123456-04-123456 예금주", "계좌번호", "123456-04-123456"),
        ("농협 351-0123-4567-83", "계좌번호", "351-0123-4567-83"),
        ("신용카드 4111 1111 1111 1111 결제", "카드 번호", "4111 1111 1111 1111"),
    ],
)
def test_the_number_itself_is_what_is_found(text, kind, number):
    (found,) = find_personal_data(text)
    assert (found.kind, text[found.start : found.end]) == (kind, number)


@pytest.mark.parametrize(
    "text",
    [
        "법인등록번호 850101-1234566",  # a company, though its check digit would do
        "1234567890123원, 8501011234566원",
        "관리번호 8501011234567 참조",  # a day, but no check digit
        "91efd98afc8501011234566f1940",
        "조심-2022-서-0123, 부동산거래관리과-0236, 재산-02-397-1200",
        "2021-02-1234호, 2022헌바112, 95누1234",
        "기획재정부 재산세제과-1231(2022.09.29.), 서면4팀-1234-5678",
        "1588-1234와 126",
        "2021 2022 2023 2024년, 1111-2222",
        "은행 이자 1,234,567원, 은행 2015-12-31 현재",
        "제104조의3제1항, 2026.06.01., 2026-06-01",
        "사업자 124-81-00999, 사업자등록번호 1248100999",
    ],
)
def test_what_looks_like_one_is_left_alone(text):
    assert find_personal_data(text) == []


def test_two_rules_never_claim_the_same_place():
    found = find_personal_data("계좌번호 010-1234-5678, 국민은행 계좌 123-456-789012")
    assert [one.kind for one in found] == ["휴대전화 번호", "계좌번호"]
