"""If these fail, other people's pipelines get the wrong exit code or no clear error."""

import io
import json

import pytest

from taxlaw.__main__ import main

QUESTION = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"


def run(capsys, *arguments: str) -> tuple[int, list[dict], str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_verify_prints_one_object_and_fails_on_a_fault(capsys):
    arguments = ("verify", "--question", QUESTION, "--as-of", "2025-07-01", "--answer")
    code, (row,), _ = run(capsys, *arguments, "총 증여세 9,000만원입니다.")
    assert (code, row["ok"]) == (1, False)
    assert set(row["findings"][0]) == {"kind", "severity", "span", "message", "expected", "code"}
    assert row["findings"][0]["expected"] == "6억 140만원"
    code, (row,), _ = run(capsys, *arguments, "납부할 세액은 6억 140만원입니다.")
    assert (code, row["ok"]) == (0, True)


def test_verify_reads_dataset_rows_from_a_file_and_from_standard_input(capsys, tmp_path, monkeypatch):
    rows = [
        {"question": "?", "answer": "소득세법 제55조에 따릅니다.", "id": "a"},
        {"question": "?", "answer": "소득세법 제999조에 따릅니다.", "as_of": "2025-07-01"},
    ]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n"
    path = tmp_path / "rows.jsonl"
    path.write_text(text, encoding="utf-8")
    code, found, _ = run(capsys, "verify", "--jsonl", str(path))
    assert (code, [row["ok"] for row in found]) == (1, [True, False])
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert run(capsys, "verify", "--jsonl", "-")[1] == found


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{\n", "1행: JSON이 아닙니다"), ("[]\n", "1행"), ('{"question": "?"}\n', "answer"), ("\n", "행이 없습니다")],
)
def test_a_bad_row_is_a_clear_error(capsys, tmp_path, content, reason):
    path = tmp_path / "rows.jsonl"
    path.write_text(content, encoding="utf-8")
    code, _, error = run(capsys, "verify", "--jsonl", str(path))
    assert code == 2
    assert reason in error and "Traceback" not in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify",),
        ("verify", "--jsonl", "none.jsonl"),
        ("verify", "--jsonl", "-", "--answer", "가"),
        ("lookup", "없음"),
    ],
)
def test_wrong_use_is_a_clear_error(capsys, arguments):
    code, rows, error = run(capsys, *arguments)
    assert (code, rows) == (2, [])
    assert error.startswith("오류:")


def test_lookup(capsys):
    code, (row,), _ = run(capsys, "lookup", "상증법 제53조", "--as-of", "2025-07-01")
    assert code == 0
    assert row == {
        "citation": "상속세 및 증여세법 제53조",
        "status": "found",
        "heading": "증여재산 공제",
        "effective": "2025-03-14",
        "suggestion": None,
        "as_of": "2025-07-01",
        "moved_to": None,
        "pending": [],
        "confirm": False,
        "notes": [],
        "source": "내장 표 (2026-06-01 기준)",
    }
    code, (row,), _ = run(capsys, "lookup", "증여세법 제53조")
    assert (code, row["status"], row["suggestion"]) == (1, "no_such_law", "상속세 및 증여세법")


def test_lookup_tells_what_is_in_the_text_but_not_in_force(capsys):
    code, (row,), _ = run(capsys, "lookup", "소득세법 제17조제3항", "--as-of", "2026-06-01")
    assert (code, row["status"]) == (0, "found")
    assert row["pending"] == [
        {
            "place": "소득세법 제17조제3항",
            "kind": "시행일",
            "effective": "2027-01-01",
            "number": "21221",
            "clause": "부칙 제1조",
        }
    ]
    assert run(capsys, "lookup", "국세징수법 시행령 제74조의2", "--as-of", "2026-06-01")[0] == 1


def test_a_bad_date_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["lookup", "상증법 제53조", "--as-of", "2025.7.1"])
    assert stop.value.code == 2
    assert "2025-07-01" in capsys.readouterr().err
