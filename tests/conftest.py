"""What every test relies on: the tables of the package, and in CI the same examples each time.

A user's refreshed tables (``taxlaw update``) and key stay out of the tests.  Property tests search anew on a developer's
machine and repeat the same examples in CI, so that CI's verdict is repeatable.
"""

import os
import tempfile
from pathlib import Path

from hypothesis import settings

os.environ["SLM_FOREST_DATA"] = str(Path(tempfile.gettempdir()) / "slm-forest-without-refreshed-tables")
os.environ.pop("LAW_GO_KR_OC", None)

# No deadline: a busy machine is no fault of the code.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")
