"""The only place that builds shells and hands them to stages; start, reload, drain."""
