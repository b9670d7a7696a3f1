"""What only `make operations` runs: every cause, as kubectl shows it."""
