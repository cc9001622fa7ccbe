"""Who may do what: people, services, their secrets, and the record of what they read."""
