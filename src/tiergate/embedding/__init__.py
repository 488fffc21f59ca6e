"""Makes vectors of texts in this process, with a small model and no network."""
