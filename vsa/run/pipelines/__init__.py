"""Pipelines: files that name commands and their settings, run so far as anything changed, and recorded.

`file` reads one, `schema` holds its settings against the commands, `prints` and `plan` say what has to run, `stages`
runs it, and `provenance` writes down what was done and says what differs when it is repeated.
"""
