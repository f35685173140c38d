"""What the endpoints that speak OpenAI's /chat/completions do differently, by the host that is asked.

Read in their documentation; none of the paid endpoints was called by this project.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from serve.backends.protocol import GenParams, Message
from serve.private_data import is_here
from serve.prompt import strip_markers

# OpenAI's reasoning models refuse any temperature and top_p but their own.
_FIXED_SAMPLING = re.compile(r"^(?:o\d|gpt-5)")


@dataclass(frozen=True)
class Provider:
    """``limit_key``: the name of the token limit.  ``sampling``: takes temperature and top_p.  ``seed``: takes one.
    ``system_role``: knows a system message; else it opens the user's first turn."""

    limit_key: str = "max_tokens"
    sampling: bool = True
    seed: bool = True
    system_role: bool = True


_BY_HOST = {
    "api.openai.com": Provider(limit_key="max_completion_tokens"),  # max_tokens is refused by reasoning models
    "api.anthropic.com": Provider(seed=False),  # ignored there, as is a temperature above 1
    "api.upstage.ai": Provider(seed=False),  # no seed in its documentation
}


def provider_of(url: str, model: str) -> Provider:
    """What is known of the host of ``url``; any other server is taken to do as llama-server, vLLM and Ollama do."""
    host = urlsplit(url).hostname or ""
    known = _BY_HOST.get(host, Provider())
    if host == "api.openai.com" and _FIXED_SAMPLING.match(model):
        return Provider(known.limit_key, sampling=False, seed=False)
    return known


def needs_key(url: str | None) -> bool:
    """Whether a key is wanted at ``url`` (None: OpenAI): a server on this machine usually wants none."""
    return url is None or not is_here(urlsplit(url).netloc)


def request_body(provider: Provider, model: str, messages: Sequence[Message], params: GenParams) -> dict:
    """The JSON of one request, without what this provider would refuse."""
    body = {"model": model, "messages": _turns(provider, messages), provider.limit_key: params.max_new_tokens}
    if provider.sampling and params.temperature is not None:
        body["temperature"] = params.temperature
    if provider.sampling and params.top_p is not None:
        body["top_p"] = params.top_p
    if provider.seed and params.seed is not None:
        body["seed"] = params.seed
    return body


def _turns(provider: Provider, messages: Sequence[Message]) -> list[dict]:
    # The far end's tokeniser is out of reach, and some servers read turn markers in a message as control tokens.
    said = [{"role": message.role, "content": strip_markers(message.content)} for message in messages]
    if provider.system_role or not said or said[0]["role"] != "system":
        return said
    system, *rest = said
    if rest and rest[0]["role"] == "user":
        rest[0] = rest[0] | {"content": f"{system['content']}\n\n{rest[0]['content']}"}
        return rest
    return [{"role": "user", "content": system["content"]}, *rest]
