"""Decisions: pure, synchronous, total. Time and chance are arguments; nothing here does I/O."""
