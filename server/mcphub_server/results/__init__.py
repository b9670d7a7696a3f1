"""Results as exact JSON within byte limits, and the cursors between their pages."""
