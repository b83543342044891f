"""Accuracy, size, latency, sensitivity and drift, each with its source and interval."""
