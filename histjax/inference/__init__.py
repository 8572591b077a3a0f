"""Test statistics, hypothesis tests and limits. Sees the likelihood interface and `fitting` only."""
