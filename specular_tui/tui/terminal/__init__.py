"""The terminal, and what a paint costs. Nothing here knows of builds."""
