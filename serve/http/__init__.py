"""The web server: the page, an OpenAI-compatible ``/v1`` over the same student, ``/healthz``, and who may use them."""
