"""Toys: pseudo-experiments thrown at a hypothesis, fitted as the data were, and counted."""
