"""What a labeler's DID document must hold for others to find it and to verify its labels.

Source: atproto.com/specs/label ("Labeler Service Identity"); a verifier must not fall back to the `#atproto` key.
"""

from typing import Any

from coincurve import PublicKey

from labeler.keys import public_key_multibase


def did_document_parts(did: str, key: PublicKey, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """The `verificationMethod` and `service` of the DID document; `endpoint` is the service's https URL without a path."""
    return {
        "verificationMethod": [
            {
                "id": f"{did}#atproto_label",
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": public_key_multibase(key),
            }
        ],
        "service": [{"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": endpoint}],
    }
