"""Property tests search anew on a developer's machine and repeat the same examples in CI, so that CI's verdict is repeatable."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
