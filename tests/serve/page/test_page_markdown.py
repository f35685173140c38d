"""Korean tax text must survive the page's Markdown: ranges, bold before particles, dates, no remote images, no HTML."""

import pytest

from serve.page.markdown_ko import normalise_markdown


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (
            "1,400만원~5,000만원은 15%, 5,000만원~8,800만원은 24%",
            "1,400만원\\~5,000만원은 15%, 5,000만원\\~8,800만원은 24%",
        ),
        ("6~45% (지방세 0.6~4.5%)", "6\\~45% (지방세 0.6\\~4.5%)"),
        ("이미 \\~한 것", "이미 \\~한 것"),
        ("~~지운 글~~", "<del>지운 글</del>"),
        ("**소득세법 제55조(세율)**에 따라", "<strong>소득세법 제55조(세율)</strong>에 따라"),
        ("**'1세대 1주택'**은 비과세", "<strong>'1세대 1주택'</strong>은 비과세"),
        ("**아직 쓰는 중", "**아직 쓰는 중"),
        ("2024. 1. 1. 이후 양도분", "2024\\. 1. 1. 이후 양도분"),
        ("- 2024. 1. 1. 이후", "- 2024\\. 1. 1. 이후"),
        ("1. 2024. 1. 1. 이후", "1. 2024\\. 1. 1. 이후"),
        ("24. 1. 1. 이후", "24\\. 1. 1. 이후"),
        ("1. 과세표준\n2. 산출세액", "1. 과세표준\n2. 산출세액"),
        ("그림 ![주석](https://evil.example/?q=1) 끝", "그림 주석 끝"),
        ("그림 ![주석][ref] 끝", "그림 주석 끝"),
        ("쓰는 중 ![주석](https://evil.exam", "쓰는 중 주석"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("`a~b <i>` 밖은 c~d", "`a~b <i>` 밖은 c\\~d"),
        ("```\n2024. 1. 1. a~b **c**\n```\n밖 ~", "```\n2024. 1. 1. a~b **c**\n```\n밖 \\~"),
        ('```json\n{"a":"~"', '```json\n{"a":"~"'),
    ],
)
def test_display_keeps_what_the_answer_says(answer: str, shown: str) -> None:
    assert normalise_markdown(answer) == shown
