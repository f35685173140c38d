import jinja2
import pytest

from data_gen import prompting
from data_gen.prompting import PROMPTS, render_prompt


def test_every_prompt_renders_with_the_document_its_date_and_the_safety_line(document):
    shown = document(text="본문 {중괄호}와 {{ 두 겹 }} & 「따옴표」")
    for path in PROMPTS.glob("*.j2"):
        prompt = render_prompt(path.stem, shown)
        assert shown.text in prompt
        assert "기준일: 2026-06-01" in prompt
        assert "탈세" in prompt and "적법한" in prompt
        assert '"expert"' in prompt and '"plain"' in prompt and '"articles"' in prompt


def test_the_document_comes_last_so_that_the_constant_part_can_be_cached(document):
    one = render_prompt("pairs", document(text="가나다"))
    two = render_prompt("pairs", document(text="라마바", title="다른 제목"))
    same = next(index for index, (a, b) in enumerate(zip(one, two, strict=False)) if a != b)
    assert same > len(one) * 0.7


def test_an_undefined_variable_is_an_error(tmp_path, monkeypatch, document):
    (tmp_path / "bad.j2").write_text("{{ document.text }} {{ nothing }}", encoding="utf-8")
    monkeypatch.setattr(prompting, "PROMPTS", tmp_path)
    prompting._environment.cache_clear()
    try:
        with pytest.raises(jinja2.UndefinedError):
            render_prompt("bad", document())
    finally:
        prompting._environment.cache_clear()
