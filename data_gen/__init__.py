"""Raw documents -> teacher -> verified question-answer pairs."""
