"""Teachers by name: the shipped book is whole, a wrong name is answered with the nearest, and no key gets in."""

from pathlib import Path

import pytest

from data_gen.errors import BadInput, DataGenError
from data_gen.prices import load_prices
from data_gen.teacher_book import find_teacher, load_teachers
from data_gen.teacher_settings import OpenAISettings, RecordedSettings

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = CONFIGS / "teachers.yaml"


def test_the_shipped_book_has_the_promised_teachers():
    book = load_teachers(SHIPPED)
    promised = {
        "gpt-4o",
        "claude",
        "solar-pro2",
        "solar-pro2-reasoning",
        "gemma3-12b-vllm",
        "gemma3-12b-llama-server",
        "recorded",
    }
    assert promised <= set(book)
    assert book["claude"].base_url == "https://api.anthropic.com/v1/"
    assert (
        book["claude"].answer_format == "none"
    )  # the endpoint ignores response_format; asking for it would promise a form
    assert book["solar-pro2-reasoning"].reasoning_effort == "high"
    assert book["solar-pro2"].model == book["solar-pro2-reasoning"].model
    assert isinstance(book["recorded"], RecordedSettings)
    assert [name for name, teacher in book.items() if getattr(teacher, "batch", False)] == ["gpt-4o"]


def test_every_shipped_teacher_has_a_price_and_a_batch_price_where_it_has_batches():
    prices = load_prices(CONFIGS / "prices.yaml")
    for name, teacher in load_teachers(SHIPPED).items():
        if isinstance(teacher, OpenAISettings):
            price = prices.price_of(teacher.model)
            assert price is not None, name
            assert not teacher.batch or price.batch is not None, name


def test_a_local_server_is_free_only_under_the_name_given_to_it_here():
    prices = load_prices(CONFIGS / "prices.yaml")
    assert prices.price_of(load_teachers(SHIPPED)["gemma3-12b-vllm"].model).output == 0.0
    assert prices.price_of("google/gemma-3-12b-it") is None  # the same model rented from somebody is not free


def test_a_name_is_looked_up_and_inline_settings_leave_the_book_shut(tmp_path):
    name, teacher = find_teacher("gpt-4o", SHIPPED)
    assert (name, teacher.model) == ("gpt-4o", "gpt-4o")
    inline = OpenAISettings(kind="openai", model="my-model", base_url="http://127.0.0.1:9/v1")
    assert find_teacher(inline, tmp_path / "no-such.yaml") == ("my-model", inline)
    recorded = RecordedSettings(kind="recorded")
    assert find_teacher(recorded, tmp_path / "no-such.yaml") == ("recorded", recorded)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match="solar-pro2") as caught:
        find_teacher("solar-pro-2", SHIPPED)
    assert "혹시" in str(caught.value) and "gemma3-12b-vllm" in str(caught.value)


@pytest.mark.parametrize(
    "pasted", ["key_env: sk-proj-abcdefghijklmnop", "api_key: abcdef", "token: up_0123456789abcdef"]
)
def test_a_key_in_the_book_is_refused_and_not_repeated(tmp_path, pasted):
    path = tmp_path / "teachers.yaml"
    path.write_text(f"teachers:\n  mine:\n    kind: openai\n    model: m\n    {pasted}\n", encoding="utf-8")
    with pytest.raises(DataGenError, match="API 키") as caught:
        load_teachers(path)
    assert pasted.split(": ")[1] not in str(caught.value)
