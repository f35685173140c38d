"""The domain core: what is true about Korean tax law.  No model, no network, no torch; importing it is cheap."""
