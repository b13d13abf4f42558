"""The application: command line, settings, wiring and embedded services."""
