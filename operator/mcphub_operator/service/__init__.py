"""The process: settings become tables, watches, workers, and an orderly end."""
