"""Configuration files in, settings and findings out; nothing here serves a request."""
