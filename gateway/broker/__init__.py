"""The MQTT broker: its configuration, its certificates, and how it is run."""
