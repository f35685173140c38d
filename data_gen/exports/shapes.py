"""One dataset row in the shape that each text format wants.  Pure functions; nothing here reads or writes a file."""

from __future__ import annotations

from typing import Any

# Kept beside the conversation in every format that allows more columns: what the answer rests on and where it came from.
METADATA = (
    "id",
    "split",
    "type",
    "style",
    "source",
    "tax",
    "as_of",
    "articles",
    "evidence",
    "call",
    "payable",
    "difficulty",
    "provenance",
)


def messages(row: dict, system: str, metadata: bool) -> dict[str, Any]:
    """OpenAI's chat form: ``{"messages": [{"role", "content"}, …]}``, earlier turns first."""
    said = [{"role": "system", "content": system}] if system else []
    for question, answer in _turns(row):
        said += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": said} | _metadata(row, metadata)


def sharegpt(row: dict, system: str, metadata: bool) -> dict[str, Any]:
    """``{"conversations": [{"from": "human" | "gpt", "value"}, …]}``; the system text is the first of them."""
    said = [{"from": "system", "value": system}] if system else []
    for question, answer in _turns(row):
        said += [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return {"conversations": said} | _metadata(row, metadata)


def alpaca(row: dict, system: str, metadata: bool) -> dict[str, Any]:
    """``instruction``, ``input`` (always empty), ``output`` and ``history`` as [question, answer] pairs, oldest first."""
    *earlier, (question, answer) = _turns(row)
    shaped: dict[str, Any] = {"instruction": question, "input": "", "output": answer}
    if system:
        shaped["system"] = system
    return shaped | {"history": [list(turn) for turn in earlier]} | _metadata(row, metadata)


def predecessor(row: dict, _system: str, _metadata: bool) -> dict[str, Any]:
    """The predecessor's four keys.  It knows single turns only, so earlier turns are told inside the question."""
    *earlier, (question, answer) = _turns(row)
    told = "".join(f"앞선 질문: {asked}\n앞선 답변: {said}\n\n" for asked, said in earlier)
    return {
        "question": f"{told}이어진 질문: {question}" if told else question,
        "answer": answer,
        "type": row["type"],
        "source": row["source"],
    }


def _turns(row: dict) -> list[tuple[str, str]]:
    """Every turn of the conversation; the last is the row's own question and answer."""
    earlier = [(turn["question"], turn["answer"]) for turn in row.get("history") or ()]
    return [*earlier, (row["question"], row["answer"])]


def _metadata(row: dict, wanted: bool) -> dict[str, Any]:
    return {name: row[name] for name in METADATA} if wanted else {}
