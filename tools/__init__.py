"""Programs for those who work on mcphub or try it out; none is part of a release."""
