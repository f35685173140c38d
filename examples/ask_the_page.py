"""Ask the page's named endpoint ``/ask`` from Python:  python examples/ask_the_page.py "질문" [http://127.0.0.1:7860]

Needs only ``pip install gradio_client``.  A page with a login wants SLM_FOREST_LOGIN=USER:PASSWORD in the environment.
"""

import os
import sys

from gradio_client import Client


def main(question: str, url: str = "http://127.0.0.1:7860") -> int:
    user, _, password = os.environ.get("SLM_FOREST_LOGIN", "").partition(":")
    client = Client(url, auth=(user, password) if user else None, verbose=False)
    # as_of: 기준일, the law as it stood on that day; left out, the page's own.
    answer = client.predict(question, "2025-07-01", api_name="/ask")
    if "error" in answer:
        print(answer["error"]["message"], answer["error"]["hint"], file=sys.stderr)
        return 1
    print(answer["completed"])
    print("검증:", answer["verdict"]["summary"])
    for label, value in answer["facts"].items():
        print(f"  {label}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
