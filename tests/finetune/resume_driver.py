"""A run of its own process for test_resume: the real command line, one line of output per metrics record.

    python resume_driver.py CONFIG

It ends after training (the adapter is written), because export is not what is tested.  ``CRASH`` in the environment
names a point at which the process kills itself: "replace" is just before a finished checkpoint gets its name.
"""

import os
import signal
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
torch.set_num_threads(1)

from finetune import checkpoint, merge, metrics_store, run  # noqa: E402
from finetune.__main__ import main  # noqa: E402

write, replace = metrics_store.Metrics.write, os.replace
written = 0


def loud_write(self, kind, values):
    write(self, kind, values)
    print(f"record {kind} {values.get('stage')} {values.get('step')}", flush=True)


def deadly_replace(source, target):
    global written
    written += str(source).endswith(checkpoint.ASIDE)
    if written == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)


def stop_here(*arguments):
    raise SystemExit(0)


metrics_store.Metrics.write = loud_write
merge.merge_adapter = stop_here
run.code_sha256 = lambda: "the code as it is"  # someone who edits it while the tests run is not what is tested
if os.environ.get("CRASH") == "replace":
    os.replace = deadly_replace
sys.exit(main(["run", "--config", sys.argv[1]]))
