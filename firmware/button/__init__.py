"""The button: what runs on the board. Imports nothing outside this folder but MicroPython."""
