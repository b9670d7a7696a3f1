"""A real OpenTelemetry Collector, and a real Jaeger that shows what arrived."""
