import json
from pathlib import Path

import pytest

from data_gen.__main__ import main

SHOWCASE = Path(__file__).parent / "predecessor_showcase.json"
GOOD = {
    "question": "성년인 자녀의 증여재산공제는 어느 조문에 있나요?",
    "answer": "상속세 및 증여세법 제53조에 있습니다.",
}


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_predecessors_showcase_is_reported_with_every_step(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["audit", str(SHOWCASE), "--as-of", "2025-06-30"]) == 1
    screen = capsys.readouterr().out
    for figure in ("6억 140만원", "601,400,000", "5,000만원", "19억 5,000만원", "6억 2,000만원", "1,860만원"):
        assert figure in screen, figure
    for article in ("제53조", "제56조", "제26조", "제69조"):
        assert article in screen
    assert "1번째 행" in screen and "2번째 행" not in screen
    assert "잘못이 있는 행 1" in screen


def test_the_same_as_json(capsys):
    assert main(["audit", str(SHOWCASE), "--as-of", "2025-06-30", "--json"]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert (first["ok"], second["ok"]) == (False, True)
    figures = first["recomputed"]
    assert (figures["tax_base"], figures["calculated_tax"]) == (1_950_000_000, 620_000_000)
    assert (figures["credits"], figures["payable"]) == (18_600_000, 601_400_000)
    assert any(step["amount"] == 50_000_000 for step in figures["steps"])
    assert any(fault["kind"] == "number" and fault["expected"] == "6억 140만원" for fault in first["faults"])
    assert second["recomputed"] is None and second["not_recomputed"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([GOOD], ensure_ascii=False),
        json.dumps({"data": [GOOD]}, ensure_ascii=False),
        json.dumps(GOOD, ensure_ascii=False) + "\n" + json.dumps(GOOD | {"extra": 1}, ensure_ascii=False) + "\n",
        "\ufeff" + json.dumps([GOOD], ensure_ascii=False),
    ],
    ids=["list", "data", "lines", "bom"],
)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_every_layout_is_read_and_a_clean_file_exits_0(tmp_path, text, suffix, capsys):
    assert main(["audit", write(tmp_path / f"a{suffix}", text)]) == 0
    assert "잘못이 있는 행 0" in capsys.readouterr().out


def test_a_wrong_article_is_found(tmp_path, capsys):
    bad = GOOD | {"answer": "상속세 및 증여세법 제953조에 있습니다."}
    assert main(["audit", write(tmp_path / "a.json", json.dumps([bad])), "--as-of", "2025-06-30"]) == 1
    assert "제953조" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{", "JSON이 잘못되었습니다"),
        ("", "JSON이 잘못되었습니다"),
        ('{"question": "가"}\n{oops\n', "a.json:2"),
        ("[]", "행이 없습니다"),
        ('{"rows": []}', "행의 목록이 아닙니다"),
        ("3", "행의 목록이 아닙니다"),
        ('[{"question": "가"}]', "1번째 행의 answer"),
        ('["글"]', "1번째 행"),
        ('[{"question": "가", "answer": null}]', "answer"),
    ],
)
def test_bad_input_exits_2_with_a_sentence(tmp_path, text, said, capsys):
    assert main(["audit", write(tmp_path / "a.json", text)]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error


def test_a_missing_file_and_a_folder_exit_2(tmp_path, capsys):
    assert main(["audit", str(tmp_path / "none.json")]) == 2
    assert "파일이 없습니다" in capsys.readouterr().err
    assert main(["audit", str(tmp_path)]) == 2
    (tmp_path / "latin.json").write_bytes("질문".encode("cp949"))
    assert main(["audit", str(tmp_path / "latin.json")]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_a_wrong_date_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["audit", str(SHOWCASE), "--as-of", "어제"])
    assert caught.value.code == 2
    assert "2025-12-31" in capsys.readouterr().err
