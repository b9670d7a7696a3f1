"""The dashboards for Grafana, as plain JSON from a few builders."""
