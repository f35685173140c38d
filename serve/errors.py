"""Errors of serving.  One code per state a person can do something about; each maps to one exit code and one badge."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What went wrong, as one word; the page and ``--json`` show it, the command line turns it into an exit code."""

    USAGE = "usage"  # a wrong option, date or input file
    NO_MODEL = "no_model"  # no student GGUF to load
    BAD_MODEL = "bad_model"  # the file is there but cannot be served
    NO_TEMPLATE = "no_template"  # a GGUF without tokenizer.chat_template
    CONTEXT = "context"  # question longer than the context window
    BUSY = "busy"  # another answer holds the model for too long
    NO_KEY = "no_key"
    AUTH = "auth"
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    BAD_REPLY = "bad_reply"  # the teacher answered with something that is not an answer
    PRIVATE = "private"  # personal numbers in the question: never sent outside


EXIT_OK, EXIT_USAGE, EXIT_MODEL, EXIT_TEACHER, EXIT_PARTIAL, EXIT_INTERRUPTED = 0, 2, 3, 4, 5, 130


class ServeError(Exception):
    """A serving failure with its code, a Korean sentence that names the cause, and what to do next."""

    def __init__(self, code: Code, message: str, hint: str = "", *, side: str = "student") -> None:
        super().__init__(f"{message}\n  {hint}" if hint else message)
        self.code = code
        self.message = message
        self.hint = hint
        self.side = side

    @property
    def exit_code(self) -> int:
        """Process exit code: 2 usage, 3 student or base model (also one that another process serves), 4 teacher."""
        if self.code is Code.USAGE:
            return EXIT_USAGE
        return EXIT_TEACHER if self.side == "teacher" else EXIT_MODEL
