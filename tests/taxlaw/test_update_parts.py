"""The parts of a refresh that need no server: where the key comes from, what a refusal looks like, how versions merge."""

from datetime import date
from pathlib import Path

import pytest

from taxlaw import versions
from taxlaw.__main__ import main
from taxlaw.law_api import failure, find_key
from taxlaw.update_tables import add_versions

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def test_the_key_comes_from_the_environment_or_dotenv_only(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["update", "--law", "교육세법"]) == 2
    assert "LAW_GO_KR_OC" in capsys.readouterr().err
    (tmp_path / ".env").write_text("LAW_GO_KR_OC=from-file\n", encoding="utf-8")
    assert find_key(tmp_path) == "from-file"
    monkeypatch.setenv("LAW_GO_KR_OC", "from-environment")
    assert find_key(tmp_path) == "from-environment"
    with pytest.raises(SystemExit):
        main(["update", "--oc", "abc"])


@pytest.mark.skipif(not (SHARED / "law_api").is_dir(), reason="shared data is not here")
def test_the_samples_are_told_apart():
    folder = SHARED / "law_api"
    for file in folder.glob("law_service_*.json"):
        assert failure(file.read_text(encoding="utf-8")) is None
    assert "실패" in failure((folder / "synthetic_xml" / "error_response.xml").read_text(encoding="utf-8"))
    assert "HTML" in failure((folder / "synthetic_xml" / "history_response.html").read_text(encoding="utf-8"))


def test_a_postponed_day_is_taken_over_and_a_past_one_stays():
    table = "#가법\n2024-12-31\t100\t2025-01-01\t1\t일부개정\n2025-12-31\t200\t2027-01-01\t2\t일부개정\n"
    told = [
        versions.Version("가법", date(2024, 12, 31), "100", date(2026, 1, 1), "1", "일부개정"),
        versions.Version("가법", date(2025, 12, 31), "200", date(2028, 1, 1), "2", "일부개정"),
    ]
    merged = add_versions(table, told, date(2026, 6, 1)).splitlines()
    assert [line.split("\t")[2] for line in merged[1:]] == ["2025-01-01", "2028-01-01"]
