"""Devices, their keys, and the areas they stand in."""
