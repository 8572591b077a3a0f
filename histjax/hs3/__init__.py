"""HS3, the HEP Statistics Serialization Standard: models that are graphs of named distributions and functions."""
