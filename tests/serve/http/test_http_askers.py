"""Fifty people at once, in small: everybody gets his own answer or is told to come back, and the bounds hold.

bench/askers.py is the two minutes' version, with memory.
"""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager

import httpx
import openai
import pytest

from serve.backends.protocol import Delta

ASKERS = 50


@pytest.fixture
def server(serve_it, echo_student):
    """A server whose student counts how many are in it at the same time."""

    class Counting(echo_student):
        inside, most = 0, 0
        counting = threading.Lock()

        def stream(self, messages, params):
            with self.turn() as ticket:
                for word in messages[-1].content.split():
                    with self.turnstile.step(ticket):
                        delta = Delta(f"{word} ", tokens=1)
                    yield delta
                yield Delta(finish="stop", prompt_tokens=1, new_tokens=1)

        @contextmanager
        def turn(self):
            with self.counting:
                self.inside += 1
                self.most = max(self.most, self.inside)
            ticket = self.turnstile.enter()
            try:
                yield ticket
            finally:
                self.turnstile.leave(ticket)
                with self.counting:
                    self.inside -= 1

    student = Counting()
    return serve_it(student=student, max_waiting=4), student


def test_fifty_programs_get_their_own_answers(server) -> None:
    site, student = server
    refusals: list[int] = []

    async def ask(client: openai.AsyncOpenAI, number: int) -> str:
        """The answer, asking again whenever the line is full."""
        while True:
            try:
                reply = await client.chat.completions.create(
                    model="student", messages=[{"role": "user", "content": f"표지 {number} 번"}], stream=number % 2 == 0
                )
                if number % 2:
                    return reply.choices[0].message.content
                return "".join([choice.delta.content or "" async for chunk in reply for choice in chunk.choices])
            except openai.RateLimitError as exc:
                assert exc.code == "queue_full" and int(exc.response.headers["retry-after"]) > 0
                refusals.append(number)
                await asyncio.sleep(0.02)

    async def everybody() -> list[str]:
        async with openai.AsyncOpenAI(base_url=site.v1, api_key="none", max_retries=0) as client:
            return await asyncio.gather(*(ask(client, number) for number in range(ASKERS)))

    answers = asyncio.run(everybody())
    assert [answer.strip() for answer in answers] == [f"표지 {number} 번" for number in range(ASKERS)]
    assert refusals, "fifty at once and four may wait: somebody must have been turned away"
    assert student.most == 1, "at_once is 1, and more were in the model"
    line = site.site.application.state.line
    assert (line.running, line.waiting) == (0, 0)


def test_fifty_people_on_the_page_get_their_own_answers(server) -> None:
    """Gradio's queue turns people away with 503; the rest wait for their turn."""
    site, _ = server
    refusals: list[int] = []

    async def ask(client: httpx.AsyncClient, number: int) -> str:
        while True:
            posted = await client.post(f"{site.url}gradio_api/call/ask", json={"data": [f"표지 {number} 번"]})
            if posted.status_code == 503:
                refusals.append(number)
                await asyncio.sleep(0.02)
                continue
            posted.raise_for_status()
            stream = await client.get(f"{site.url}gradio_api/call/ask/{posted.json()['event_id']}")
            assert "event: complete" in stream.text, stream.text
            return json.loads(stream.text.rpartition("data: ")[2])[0]

    async def everybody() -> list[str]:
        limits = httpx.Limits(max_connections=ASKERS)
        async with httpx.AsyncClient(timeout=120, limits=limits) as client:
            return await asyncio.gather(*(ask(client, number) for number in range(ASKERS)))

    assert asyncio.run(everybody()) == [f"표지 {number} 번" for number in range(ASKERS)]
    assert refusals
