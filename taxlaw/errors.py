"""Errors of the domain core.  Each message says what was wrong, where, and what to do next (Korean first)."""


class TaxLawError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(TaxLawError):
    """A YAML or JSON file is missing, malformed, or has an unknown or ill-typed key."""


class UnsupportedCase(TaxLawError):
    """A fact or year lies outside the tables of the calculators; nothing is guessed."""


class MissingFact(UnsupportedCase):
    """A calculation cannot start because the question does not state a fact it needs."""


class CallError(TaxLawError):
    """A text that should be a calculator call is not one."""


class SourceReferenceError(TaxLawError):
    """A text that should name one of the sources shown does not, or names what was not shown."""


class SourceError(TaxLawError):
    """A statute, ruling or digest file cannot be read in the layout it claims."""


class DownloadError(TaxLawError):
    """law.go.kr did not answer, said no, or sent another law than the one asked for."""


class RefusedError(DownloadError):
    """law.go.kr answered and the answer is no; ``said``: its own words, the key blotted out."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said
