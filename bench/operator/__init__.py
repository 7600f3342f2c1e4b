"""Measures the operator in a cluster of many objects: its memory, and how soon it acts."""
