"""Every prompt for every kind of document: rendered, dated, cacheable, and deaf to what the law's text looks like."""

import jinja2
import pytest

from data_gen import prompting
from data_gen.prompting import PREAMBLE_VERSION, PROMPTS, preamble, prompt_hash, render_prompt
from data_gen.tasks.all_tasks import TASKS
from data_gen.tasks.probe import PROBE

TEMPLATES = [*TASKS.values(), PROBE]
EVERY = [(task.name, kind) for task in TEMPLATES for kind in sorted(task.kinds)]
HOSTILE = "본문 {중괄호}와 {{ 두 겹 }} {% if 없음 %} {# 주석 #} & 「따옴표」 %s {0}"


def shown(document, kind="openapi", **changes):
    meta = (("question", "물음 {{ 하나 }}"), ("answer", "답 {% 둘 %}"))
    if kind == "web":
        meta += (("source_type", "blog"), ("publish_date", "2024-03-02"))
    return document(kind=kind, text=HOSTILE, meta=meta, **changes)


@pytest.mark.parametrize(("task", "kind"), EVERY)
def test_every_prompt_renders_for_each_kind_with_the_text_the_date_and_every_key(document, task, kind):
    made = next(one for one in TEMPLATES if one.name == task)
    prompt = render_prompt(task, shown(document, kind))
    assert HOSTILE in prompt
    assert "기준일: 2026-06-01" in prompt
    assert "탈세" in f"{preamble()}{prompt}" and "한국어" in prompt
    for key in made.answer.model_fields:
        assert f'"{key}":' in prompt
    assert "{#" not in prompt.replace(HOSTILE, "") and "{%" not in prompt.replace(HOSTILE, "").replace("{% 둘 %}", "")


def test_there_is_no_template_without_a_task():
    files = {path.stem for path in PROMPTS.glob("*.j2")}
    assert files == {task.name for task in TEMPLATES} | {"preamble", "_common", "_document", "_voice"}


@pytest.mark.parametrize("task", [task.name for task in TEMPLATES])
def test_the_document_comes_last_so_that_the_constant_part_can_be_cached(document, task):
    kind = min(next(one for one in TEMPLATES if one.name == task).kinds)
    meta = (("question", "물음"), ("answer", "답"))
    one = render_prompt(task, document(kind=kind, text="가나다", id="하나", meta=meta))
    two = render_prompt(task, document(kind=kind, text="라마바", id="둘", title="다른 제목", meta=meta))
    same = next(index for index, (a, b) in enumerate(zip(one, two, strict=False)) if a != b)
    assert same > len(one) * 0.7


def test_notes_are_shown_and_the_text_stands_once(document):
    note = "소득세법 제17조제3항: 개정이 아직 시행 전이라 2027-01-01 전에는 종전 규정이 적용됩니다."
    prompt = render_prompt("law_change", document(notes=(note,)))
    assert note in prompt
    assert prompt.count(document().text) == 1
    assert "함께 알아 둘 것 (" not in render_prompt("law_change", document())


def test_a_web_page_is_shown_with_its_day_and_as_what_it_is(document):
    prompt = render_prompt("pairs", shown(document, "web"))
    assert "blog" in prompt and "쓴 날: 2024-03-02" in prompt and "공식 문서가 아니므로" in prompt
    bare = render_prompt("pairs", document(kind="web"))
    assert "웹 문서" in bare and "쓴 날" not in bare


def test_documents_are_asked_about_in_many_voices_and_each_always_in_the_same(document):
    def voice(number):
        lines = render_prompt("scenario", document(number)).splitlines()
        return next(line for line in lines if line.startswith("이번 목소리"))

    voices = [voice(number) for number in range(40)]
    assert len(set(voices)) > 15
    assert voices == [voice(number) for number in range(40)]


def test_the_preamble_says_what_is_helped_with_and_what_is_not():
    words = preamble()
    for part in ("절세", "거짓 세금계산서", "지어내지", "주민등록번호", "기준일", "되묻", "세무사", "따르지 않습니다"):
        assert part in words


def test_the_preamble_cannot_change_without_its_version():
    # Changed the words on purpose?  Raise PREAMBLE_VERSION and write both down here.
    from data_gen.rows import short_hash

    text = (PROMPTS / "preamble.j2").read_text(encoding="utf-8")
    assert (PREAMBLE_VERSION, short_hash(text)) == ("1", "764cb4a66896a8b8")


def test_the_hash_follows_the_template_its_parts_and_the_preamble(tmp_path, monkeypatch):
    for path in PROMPTS.glob("*.j2"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    before = prompt_hash("pairs")
    monkeypatch.setattr(prompting, "PROMPTS", tmp_path)
    seen = {before}
    try:
        for name in ("pairs.j2", "_common.j2", "_document.j2", "preamble.j2"):
            path = tmp_path / name
            path.write_text(path.read_text(encoding="utf-8") + "덧붙임", encoding="utf-8")
            _forget()
            seen.add(prompt_hash("pairs"))
        assert len(seen) == 5
        other = prompt_hash("judge")
        (tmp_path / "pairs.j2").write_text("{{ document.text }}", encoding="utf-8")
        _forget()
        assert prompt_hash("judge") == other
    finally:
        monkeypatch.undo()
        _forget()
    assert prompt_hash("pairs") == before


def test_an_undefined_variable_is_an_error(tmp_path, monkeypatch, document):
    (tmp_path / "bad.j2").write_text("{{ document.text }} {{ nothing }}", encoding="utf-8")
    monkeypatch.setattr(prompting, "PROMPTS", tmp_path)
    _forget()
    try:
        with pytest.raises(jinja2.UndefinedError):
            render_prompt("bad", document())
    finally:
        monkeypatch.undo()
        _forget()


def test_a_judge_without_a_pair_is_an_error(document):
    with pytest.raises(jinja2.UndefinedError):
        render_prompt("judge", document())


def _forget():
    prompting._environment.cache_clear()
    prompting.prompt_hash.cache_clear()
    prompting.preamble.cache_clear()
