"""How many tokens a request will take: a guess from its characters at first, corrected by every answer that comes.

Knows nothing of prices.  No tokenizer is needed: each vendor has its own, some publish none, and a first few real answers
tell more than any of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from data_gen.asking.values import Request, Usage

# Tokens for one Hangul (or other non-ASCII) character, and for one ASCII character, before the endpoint has counted any.
# gpt-4o: from two Korean sentences with published counts (27 tokens for 55 characters, OpenAI; 20 for 28, a 2026 survey of
# 285 articles).  The others publish no count that we could find: Claude is taken high, the rest like gpt-4o.
_PER_HANGUL = {"gpt": 0.7, "claude": 1.1, "solar": 0.7, "local-gemma": 0.7}
_PER_HANGUL_ELSE = 0.9
_PER_ASCII = 0.3
# Characters of a reply, JSON included.  ``pairs``: mean of this project's 168 recorded replies (613); the others are our
# assumption in proportion to what the task asks for.
_REPLY_CHARACTERS = {
    "pairs": 613,
    "scenario": 700,
    "calculation": 800,
    "followup": 900,
    "law_change": 700,
    "ask_back": 400,
    "refusal": 350,
    "labelled": 400,
    "analysis": 900,
    "judge": 150,
}
_REPLY_CHARACTERS_ELSE = 700
# Tokens of thinking before an answer, by the effort asked for; an assumption until the endpoint has counted some.
_THINKING = {"minimal": 0, "low": 500, "medium": 1500, "high": 4000}
# Weight of the newest answer in the moving averages, once there are some.
_NEWEST = 0.05


def guessed_input(body: dict, model: str) -> float:
    """Input tokens of a request body, guessed from its characters."""
    texts = [str(message.get("content") or "") for message in body.get("messages", ())]
    if "response_format" in body:  # the schema is read by the model, and billed, as input
        texts.append(json.dumps(body["response_format"], ensure_ascii=False))
    return sum(_tokens(text, model) for text in texts) + 4.0 * len(texts)


def guessed_output(task: str, body: dict, model: str) -> float:
    """Output tokens of an answer before any was seen, never more than the request allows."""
    characters = _REPLY_CHARACTERS.get(task, _REPLY_CHARACTERS_ELSE)
    # A reply is mostly Hangul, with some ASCII of the JSON around it.
    tokens = characters * (0.75 * _per_hangul(model) + 0.25 * _PER_ASCII)
    return min(tokens + _THINKING.get(body.get("reasoning_effort") or "minimal", 0), most_output(body))


def most_output(body: dict) -> float:
    """The most output tokens the request allows; infinite when it sets no limit."""
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return float(limit) if limit else float("inf")


@dataclass
class Expectation:
    """Moving averages for one model: output per task, and how far the guesses of input were off."""

    model: str
    outputs: dict[str, float] = field(default_factory=dict)
    input_factor: float = 1.0
    seen: int = 0
    _per_task: dict[str, int] = field(default_factory=dict)

    def expect(self, request: Request) -> Usage:
        """What the request is expected to use; cached input is not counted on."""
        given = guessed_input(request.body, self.model) * self.input_factor
        told = self.outputs.get(request.task)
        said = guessed_output(request.task, request.body, self.model) if told is None else told
        return Usage(input=round(given), output=round(min(said, most_output(request.body))))

    def learn(self, request: Request, usage: Usage) -> None:
        """Take a real usage into the averages.  An answer without a count of tokens teaches nothing."""
        if not usage.input and not usage.output:
            return
        count = self._per_task[request.task] = self._per_task.get(request.task, 0) + 1
        said = float(max(usage.output, usage.reasoning))
        before = self.outputs.get(request.task, said)
        self.outputs[request.task] = before + (said - before) * max(1 / count, _NEWEST)
        guess = guessed_input(request.body, self.model)
        if usage.input and guess:
            self.seen += 1
            self.input_factor += (usage.input / guess - self.input_factor) * max(1 / self.seen, _NEWEST)


def from_averages(model: str, outputs: Mapping[str, float]) -> Expectation:
    """An expectation that starts from averages seen before (in the store)."""
    return Expectation(model, outputs=dict(outputs), _per_task=dict.fromkeys(outputs, 20))


def _tokens(text: str, model: str) -> float:
    ascii_count = len(text.encode("ascii", "ignore"))  # counted in C: this runs twice for every request sent
    return ascii_count * _PER_ASCII + (len(text) - ascii_count) * _per_hangul(model)


def _per_hangul(model: str) -> float:
    return next((ratio for family, ratio in _PER_HANGUL.items() if model.startswith(family)), _PER_HANGUL_ELSE)
