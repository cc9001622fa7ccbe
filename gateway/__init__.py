"""The gateway: registry of devices, and the bridge from MQTT to the console."""
