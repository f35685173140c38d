"""Topics outside tax law: enough of every group, and nothing of the law in the refusals written for them."""

import datetime
from collections import Counter

import pytest

from data_gen.errors import DataGenError
from data_gen.prompting import render_prompt
from data_gen.topics import load_topics
from taxlaw.errors import ConfigError

DAY = datetime.date(2026, 6, 1)


def test_there_are_enough_topics_of_every_group():
    topics = load_topics(DAY)
    groups = Counter(dict(topic.meta)["group"] for topic in topics)
    assert len(topics) >= 60
    assert groups["outside"] >= 25 and groups["near_law"] >= 10 and groups["wrong"] >= 8
    assert groups["privacy"] >= 3 and groups["injection"] >= 3


def test_a_topic_is_a_document_that_a_refusal_can_be_asked_about():
    topics = load_topics(DAY)
    assert len({topic.id for topic in topics}) == len({topic.text for topic in topics}) == len(topics)
    for topic in topics:
        assert topic.kind == "topic" and topic.as_of == DAY and topic.family == topic.id
        assert topic.title in render_prompt("refusal", topic)


def test_a_broken_file_says_where(tmp_path):
    path = tmp_path / "topics.yaml"
    one = "- {id: a, group: outside, title: 가, examples: ['나?'], help: 다}\n"
    path.write_text("topics:\n" + one * 2, encoding="utf-8")
    with pytest.raises(DataGenError, match="둘 있습니다"):
        load_topics(DAY, path)
    path.write_text("topics:\n" + one.replace("outside", "elsewhere"), encoding="utf-8")
    with pytest.raises(ConfigError, match="group"):
        load_topics(DAY, path)
