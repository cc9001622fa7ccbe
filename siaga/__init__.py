"""The command `siaga` and the composition of all parts."""
