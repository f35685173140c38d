"""Review by people: a page beside the dataset, and the log of what they decided, which the build honours."""
