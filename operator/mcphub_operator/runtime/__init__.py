"""The process: settings become caches, watches, workers, and an orderly shutdown."""
