"""The full-screen application in a browser: who may come in, and one process of the application for each page."""
