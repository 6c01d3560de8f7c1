"""Going on with what is damaged: kept aside, made anew, or saved by its name."""
