"""HS3, the HEP Statistics Serialization Standard: documents, densities, and analyses behind the likelihood interface."""
