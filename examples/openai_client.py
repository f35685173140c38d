"""The student through OpenAI's client:  python examples/openai_client.py "질문" [http://127.0.0.1:7860/v1]

Needs only ``pip install openai``.  Where the server has a key, put it into SLM_FOREST_API_KEY.
"""

import os
import sys

from openai import OpenAI


def main(question: str, base_url: str = "http://127.0.0.1:7860/v1") -> int:
    client = OpenAI(base_url=base_url, api_key=os.environ.get("SLM_FOREST_API_KEY") or "none")
    stream = client.chat.completions.create(
        model="student",  # "student-raw": the model's own text, without what code computed
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"as_of": "2025-07-01"},  # 기준일, the law as it stood on that day
    )
    for chunk in stream:
        for choice in chunk.choices:
            print(choice.delta.content or "", end="", flush=True)
            if choice.finish_reason:
                checked = chunk.slm_forest  # beyond OpenAI's shape: verdict, what code computed, evidence
                print("\n검증:", checked["verdict"]["summary"])
        if chunk.usage:
            print(f"토큰: 입력 {chunk.usage.prompt_tokens}, 출력 {chunk.usage.completion_tokens}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
