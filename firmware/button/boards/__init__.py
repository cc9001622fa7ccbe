"""One small module a board: pins, radio, sleep, watchdog, lights."""
