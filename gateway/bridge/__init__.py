"""MQTT in, verified, journalled, acknowledged, enriched, forwarded."""
