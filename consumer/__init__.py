"""From the events topic to segment changes: worker, trainer, and what subscribers import."""
