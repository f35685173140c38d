"""Errors of the data stage.  Each message says what was wrong, where, and what to do next (Korean first)."""


class DataGenError(Exception):
    """The command cannot go on; the message is for the user."""


class BadInput(DataGenError):
    """A file given on the command line is missing or malformed."""


class TeacherFailure(Exception):
    """One request got no usable reply.  Counted as ``failed`` with this reason; the run goes on."""


class NotRecorded(Exception):
    """The recorded teacher has no answer to this and is not held to have one; nothing was requested."""


class BudgetReached(DataGenError):
    """The money cap allows no further call.  What is stored stays usable; nothing more is sent."""
