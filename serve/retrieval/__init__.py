"""Evidence for a question: the search of taxlaw, and, where the config names models, dense ranking and reranking."""
