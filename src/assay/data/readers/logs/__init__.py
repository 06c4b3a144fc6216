"""Logs of other harnesses as answers: which it is, its content says."""
