"""From the events topic to segment changes: the worker, the trainer, and what subscribers import."""
