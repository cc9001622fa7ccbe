"""Firmware of the button, and the bench of the technician."""
