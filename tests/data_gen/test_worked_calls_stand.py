"""Every question the templates write supports its own call; else the served student would be refused for reading rightly."""

from datetime import date
from pathlib import Path

from data_gen.settings import load_build_config
from data_gen.worked.candidates import worked_candidates
from taxlaw.call_check import objections
from taxlaw.calls import parse_call

CONFIG = Path(__file__).parents[2] / "configs/data_gen/demo.yaml"


def test_no_worked_row_is_objected_to():
    config = load_build_config(CONFIG)
    candidates = worked_candidates(config.worked.model_copy(update={"count": 1500}), date(2026, 6, 1), seed=11)
    refused = [
        (made.row.question, said)
        for made in candidates
        if (said := objections(made.row.question, parse_call(made.row.call)))
    ]
    assert not refused, refused[:3]
