"""docs/serving_bench.md out of the figures of bench/serve.py."""

from __future__ import annotations

import statistics

BAR = 0.95


def page(figures: dict) -> str:
    machine = figures["machine"]
    parts = [
        "# Serving, measured",
        f"Made by `{figures['command']}` on {figures['date']}; do not edit.  {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['platform']}.  Load average before and after: {machine['load_before'][0]} and {machine['load_after'][0]}"
        + (" (**a busy machine: the absolute figures are too low**)." if machine["load_before"][0] > 1 else "."),
        "Ours: `serve.backends.llama` (question in, text out: template, tokens, sampling, UTF-8, turn-taking).  Bare: `llama_decode` and "
        "llama.cpp's greedy sampler called in a loop, nothing else.  Both write the same answer at the same time, a token of one and then a "
        "token of the other, each in a context of its own over the same weights; the first round is thrown away.",
        *[_model(model) for model in figures["models"]],
        _waiting(figures["threads_waiting"]),
        _shell(figures["shell"]),
        _users(figures.get("users")),
    ]
    return "\n\n".join(parts) + "\n"


def _model(model: dict) -> str:
    run, said = model["decoding"], model["answers"]
    verdict = "reached" if run["ratio"] >= BAR else "**missed**"
    return f"""## {model["name"]}

`{model["file"]}` ({model["bytes"] / 1e6:.0f} MB, SHA-256 `{model["sha256"][:12]}`, {model["vocabulary"]:,} tokens in its vocabulary); {model["detail"]}

| what | measured |
|---|---|
| loading, file in the page cache | {statistics.median(model["load_seconds"]):.2f} s |
| first token, question of {run["prompt_tokens"]} tokens | {statistics.median(run["first_token_ms"]):.0f} ms (page's examples: p50 {said["first_token_ms_p50"]:.0f}, p95 {said["first_token_ms_p95"]:.0f} ms) |
| decoding, bare llama.cpp loop | {_spread(run["bare_tokens_per_second"])} tokens/s |
| decoding, through our code | {_spread(run["our_tokens_per_second"])} tokens/s |
| ours / bare, by the median token of {run["repeats"]} × {run["tokens"]} | **{run["ratio"]:.1%}**: the bar of {BAR:.0%} is {verdict} (by the sums {run["ratio_of_sums"]:.1%}) |
| between two tokens | p50 {run["between_ms_p50"]:.1f} ms, p95 {run["between_ms_p95"]:.1f} ms |
| Korean, characters without spaces | {said["characters_per_second"]:.0f} a second ({said["questions"]} answers) |"""


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def _waiting(found: dict) -> str:
    return f"""## Threads that wait

llama.cpp's threads wait for one another some hundred times a token.  `serve` has them spin for some microseconds and then
sleep (`GOMP_SPINCOUNT`, unless the environment says otherwise); left alone, its OpenMP lets them spin for long, which loses nearly everything on a
shared machine.  Sleeping at once loses much on an idle one.  Read the row with the load above in mind.

| a short spin (ours) | sleeping at once | spinning (the library's own) |
|---|---|---|
| {_spread(found["short_tokens_per_second"])} tokens/s | {_spread(found["sleeping_tokens_per_second"])} tokens/s | {_spread(found["spinning_tokens_per_second"])} tokens/s |"""


def _shell(rows: list[dict]) -> str:
    lines = "\n".join(
        f"| {row['question']} | {statistics.median(row['first_seconds']):.2f} s | {statistics.median(row['seconds']):.2f} s |"
        for row in rows
    )
    return f"""## `python -m serve --question`, from the shell

From starting the process to the first byte of the answer, model file in the page cache.  A calculation is shown when it is whole.

| question | first byte | end |
|---|---|---|
{lines}"""


def _users(users: dict | None) -> str:
    if users is None:
        return "## Many users\n\nNot measured: run with `--llama-server PATH` (see `python bench/serve.py --help`)."
    lines = "\n".join(
        f"| {ours['users']} | {ours['tokens_per_second']:.0f} | {ours['first_token_s_p50']:.2f} / {ours['first_token_s_p95']:.2f} "
        f"| {server['tokens_per_second']:.0f} | {server['first_token_s_p50']:.2f} / {server['first_token_s_p95']:.2f} |"
        for ours, server in zip(users["one_at_a_time"], users["llama_server"], strict=True)
    )
    return f"""## Many users

All start together and ask three questions each; tokens/s of all together, first token p50 / p95.  One at a time: the GGUF in our process.
llama-server ({users["version"]}, {users["threads"]} threads, 8 slots) behind `student.model_path: http://127.0.0.1:…/v1`.

| users | one at a time, tokens/s | first token, s | llama-server, tokens/s | first token, s |
|---|---|---|---|---|
{lines}"""
