"""A city in a box: buttons that run the firmware, units, staff and a data centre."""
