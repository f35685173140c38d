"""Every test sees the tables in the package, whatever ``taxlaw update`` has put into the home of whoever runs them."""

import os
import tempfile
from pathlib import Path

os.environ["SLM_FOREST_DATA"] = str(Path(tempfile.gettempdir()) / "slm-forest-without-refreshed-tables")
os.environ.pop("LAW_GO_KR_OC", None)
