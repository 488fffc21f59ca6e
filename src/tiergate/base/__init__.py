"""Words and values. This package imports nothing else of Tiergate."""
