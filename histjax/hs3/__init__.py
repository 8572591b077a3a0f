"""Models in HS3, the standard of high-energy physics for statistics that are serialised (version 0.2.9)."""
