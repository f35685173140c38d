"""Models behind one protocol: a GGUF, a Hugging Face model, any OpenAI-compatible server, and a scripted one for tests."""
