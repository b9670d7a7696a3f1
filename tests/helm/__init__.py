"""The chart on a real cluster; `make test-helm` runs it."""
