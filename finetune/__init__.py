"""Pairs -> LoRA student -> merged -> GGUF -> measured."""
