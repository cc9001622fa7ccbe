"""One module a step, each tested from the step before."""
