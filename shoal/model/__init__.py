"""`shoal model …`: the releases of the model, and the orders that make new ones."""
