"""The student beside its teacher: command line and Gradio page."""
