"""The operator is installed from config/default with this checkout's images."""

import json

from tools.quickstart.trial import operator_overlay


def test_the_overlay_names_both_images_and_nothing_else():
    overlay = json.loads(
        operator_overlay("../config", "mcphub-operator:a1", "mcphub-server:b2")
    )

    assert overlay["resources"] == ["../config"]
    assert overlay["images"] == [
        {"name": "mcphub-operator", "newName": "mcphub-operator", "newTag": "a1"}
    ]
    patch = json.loads(overlay["patches"][0]["patch"])
    container = patch["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [
        {"name": "MCPHUB_SERVER_IMAGE", "value": "mcphub-server:b2"}
    ]
