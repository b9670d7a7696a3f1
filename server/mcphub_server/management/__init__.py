"""What operators and monitoring read: health, status, metrics, configuration."""
