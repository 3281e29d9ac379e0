"""A real browser, without a window."""

import contextlib
import shutil

from selenium import webdriver

from tests.helpers.patience import LONGEST_S


@contextlib.contextmanager
def browser(width: int = 1280):
    """Headless Chromium, of the system (the package chromium-driver brings both)."""
    driver = shutil.which("chromedriver")
    assert driver, "no chromedriver: install chromium and chromium-driver"
    options = webdriver.ChromeOptions()
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = shutil.which("chromium") or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        f"--window-size={width},900",
        "--disable-gpu",
    ):
        options.add_argument(argument)
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    chrome.set_page_load_timeout(LONGEST_S)
    try:
        yield chrome
    finally:
        chrome.quit()
