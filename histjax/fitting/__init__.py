"""Minimisation, its certificate, and derivatives through it. Sees the likelihood interface only."""
