"""The chain walked in the store is the one the live desk follows: else a dry run would lie and a batch would pay twice."""

import asyncio

import pytest

from data_gen.asking.chain import follow
from data_gen.asking.desk import LiveDesk
from data_gen.asking.keeper import LocalKeeper
from data_gen.asking.ledger import Ledger
from data_gen.errors import TeacherFailure
from data_gen.prices import PriceTable
from data_gen.store import Store
from data_gen.tasks.pairs import PAIRS
from data_gen.teacher_settings import OpenAISettings

PRICES = PriceTable(as_of="2026-11-01", usd_krw=1400.0, usd_krw_date="2026-11-01", models={})


@pytest.mark.parametrize(
    "sequence",
    [
        ["ok"],
        ["malformed", "ok"],
        ["truncate", "truncate", "truncate", "ok"],
        ["truncate", "malformed", "refuse", "empty"],
        ["malformed", "truncate", "filter", "think"],
        ["think"],
    ],
    ids="-".join,
)
def test_before_each_answer_the_chain_names_the_request_that_the_desk_sends(
    fake, document, monkeypatch, tmp_path, sequence
):
    monkeypatch.setenv("FAKE_TEACHER_KEY", "test-value")
    with fake.serving(fake.Script(sequence=sequence)) as endpoint, Store(tmp_path / "s.sqlite") as store:
        settings = OpenAISettings(
            kind="openai",
            model="fake",
            key_env="FAKE_TEACHER_KEY",
            base_url=endpoint.url,
            answer_format="json_schema",
            max_output_tokens=300,
            most_output_tokens=900,
            answers=4,
        )

        async def ask() -> bool:
            desk = LiveDesk(settings, "t", LocalKeeper(store, Ledger(PRICES, "fake")))
            try:
                await desk.ask(document(), PAIRS)
            except TeacherFailure:
                return False
            finally:
                await desk.close()
            return True

        answered = asyncio.run(ask())
        stored, expected = list(store.responses()), []
        seen = {}  # the store as it was before each answer
        for one in stored:
            chain = follow(settings, "t", PAIRS, document(), seen.get)
            assert chain.ask is not None and not chain.answered
            expected.append(chain.ask.key)
            seen[one.key] = one
        assert [one.key for one in stored] == expected
        assert [fake.body_hash(body) for body in endpoint.asked] == expected
        end = follow(settings, "t", PAIRS, document(), store.find)
        assert (end.ask, end.answered, len(end.got)) == (None, answered, len(stored))
