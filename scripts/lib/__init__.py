"""What the scripts share: the virtual environment, a sweep against the local endpoint, a scenario for calibration."""
