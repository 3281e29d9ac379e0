"""The live page as a person sees it in a browser."""

import typing

from selenium.webdriver.support.ui import WebDriverWait

from tests.helpers.patience import LONGEST_S


def texts(chrome, css: str) -> list[str]:
    """Of all that it finds, in one go: the page may replace them between two looks."""
    script = "return [...document.querySelectorAll(arguments[0])].map(e => (e.innerText ?? e.textContent).trim())"
    return chrome.execute_script(script, css)


def text(chrome, css: str) -> str:
    return texts(chrome, css)[0]


def await_(chrome, fact: typing.Callable[[typing.Any], object]) -> typing.Any:
    """Until it is true; its value."""
    return WebDriverWait(chrome, LONGEST_S).until(fact)


def await_stage(chrome, number: int, of: int) -> None:
    await_(chrome, lambda c: text(c, "#stage-name") == f"Stage {number} of {of}")


def await_figures(chrome) -> None:
    """Of the stage under way: the latency's percentiles, each with its interval below it."""
    await_(chrome, lambda c: all("\n" in found for found in texts(c, "#card-latency dd") or ["–"]))


def finished(chrome) -> dict[str, dict[str, str]]:
    """Stage, as `stage 1`, -> heading -> what stands in its cell, of the table of finished stages."""
    heads = texts(chrome, "#stages-table thead th")
    rows = chrome.execute_script(
        "return [...document.querySelectorAll('#stages-table tbody tr')].map(r => [...r.children].map(c => c.innerText.trim()))"
    )
    return {row[0].split("\n")[1].split(" · ")[0]: dict(zip(heads, row, strict=True)) for row in rows}


def severe(chrome) -> list[str]:
    """What its console complains of."""
    return [entry["message"] for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
