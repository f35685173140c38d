"""The analysis record of a document, as it stands in analysis.jsonl: what the teacher said of it beside what code counted."""

from __future__ import annotations

from dataclasses import asdict

from data_gen.difficulty import combined, counted, features_of
from data_gen.documents import Document
from data_gen.tasks.analysis import ANALYSIS, AnalysisAnswer
from data_gen.teachers import Reply


def analysis_record(document: Document, reply: Reply | None, teacher: str, fault: str = "") -> dict | None:
    """The record, or None for a kind of document that is not analysed (topics, questions).

    Without a reply the teacher's part is empty, ``fault`` says why, and the difficulty is the counted one.
    ``processing_time``: seconds the reply took, measured here and never asked of a model; 0 for a recording.
    """
    if document.kind not in ANALYSIS.kinds:
        return None
    said = reply.answer if reply is not None else None
    if said is not None and not isinstance(said, AnalysisAnswer):
        raise TypeError(f"an analysis is made of an AnalysisAnswer, not of {type(said).__name__}")
    features = features_of(document)
    by_count = counted(features)
    rated = said.difficulty_level.score if said else None
    score, label = combined(by_count, rated)
    return {
        "document_id": document.id,
        "document_version": document.version,
        "title": document.title,
        "summary": said.summary if said else "",
        "keywords": list(said.keywords) if said else [],
        "difficulty_level": {
            "score": score,
            "label": label,
            "counted": by_count,
            "rated": rated,
            "features": asdict(features),
        },
        "prerequisites": list(said.prerequisites) if said else [],
        "technical_terms": [term.model_dump() for term in said.technical_terms] if said else [],
        "processing_time": round(reply.seconds, 3) if reply else 0.0,
        "teacher": teacher if reply else "",
        "model": reply.model if reply else "",
        "fault": fault,
    }
