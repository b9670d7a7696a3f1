"""Modules that disturb what others rely on: nodes drained, the operator restarted.

Each waits until it has the cluster to itself, so one worker runs them in turn.
"""
