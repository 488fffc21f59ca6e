"""Sinks: metrics, webhooks, logs. They are told what happened; nothing waits for them.

Nothing is imported here: the supervisor of several workers wants the log and nothing else.
"""
