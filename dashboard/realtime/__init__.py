"""Websockets: consumers that authorise, forward and render again what the page shows."""
