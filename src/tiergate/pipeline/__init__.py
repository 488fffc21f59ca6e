"""The stages of a request; each awaits ports and asks the core what to do."""
