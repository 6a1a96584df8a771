"""The pictures of the explorer in docs/images: python scripts/take_screenshots.py

LeNet-5 learns the bundled digits for one epoch; then pages are opened over a real server, at the test image that it
gets most wrong. Needs Playwright and a Chromium, as tests/explorer/browser does.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

import chainrule as cr
from chainrule import data, zoo

FOLDER = Path(__file__).parents[1] / "docs" / "images"
BACKWARD = "of=g:maxpool1[0,3,6,7]&view=gradient"
PLANTED = "of=p:conv2.weight[0,0,1,2]&view=gradient"
PICTURES = {
    "explorer": ("light", "lang=en&panel=step&" + BACKWARD),
    "explorer-zh": ("light", "lang=zh&panel=step&" + BACKWARD),
    "explorer-mistakes": ("dark", "lang=en&panel=mistakes&" + PLANTED),
    "explorer-mistakes-zh": ("dark", "lang=zh&panel=mistakes&" + PLANTED),
}


def explored() -> Any:
    """LeNet-5 after an epoch, at the test image with the largest loss."""
    digits, net = data.load("digits"), zoo.lenet5()
    net.fit(digits.train_images, digits.train_labels, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.05, momentum=0.9),
            epochs=1, batch_size=64, seed=0, progress=False)  # fmt: skip
    losses = cr.CrossEntropyLoss().each(net.predict(digits.test_images), digits.test_labels)
    worst = int(np.argmax(losses))
    return cr.explorer(net, digits.test_images[worst : worst + 1], digits.test_labels[worst : worst + 1])


def main() -> None:
    chromium = os.environ.get("CHAINRULE_CHROMIUM") or shutil.which("chromium")
    serving = explored().serve(browser=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.new_page().goto(serving.url)  # the token becomes a cookie
        root = serving.url.split("?")[0]
        for name, (scheme, address) in PICTURES.items():
            page = context.new_page()
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.goto(f"{root}#{address}")
            page.wait_for_selector("[data-ready]")
            page.wait_for_timeout(1500)
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()
        browser.close()
    serving.stop()


if __name__ == "__main__":
    main()
