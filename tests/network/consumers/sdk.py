"""The same with the Python SDK's client, which reconnects by itself: sdk.py ENDPOINT [cursor] [seconds]; one line of JSON a message."""

import json
import sys
import threading
from typing import Any

from atproto import FirehoseSubscribeLabelsClient, parse_subscribe_labels_message

endpoint, cursor, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
client = FirehoseSubscribeLabelsClient({"cursor": cursor}, base_uri=endpoint.replace("http", "ws", 1) + "/xrpc")


def on_message(frame: Any) -> None:
    """Go on after a cut where it was."""
    message = parse_subscribe_labels_message(frame)
    client.update_params({"cursor": message.seq})
    labels = [
        {
            **{key: value for key, value in label.model_dump().items() if value is not None and key not in ("sig", "py_type")},
            "sig": label.sig.hex(),
        }
        for label in message.labels
    ]
    print(json.dumps({"seq": message.seq, "labels": labels}), flush=True)


threading.Timer(seconds, client.stop).start()
client.start(on_message)
