"""What `helm test` checks, through the API server, with Python alone."""

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

MOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
HOST, PORT = (
    os.environ["KUBERNETES_SERVICE_HOST"],
    os.environ["KUBERNETES_SERVICE_PORT"],
)
NAMESPACE, OPERATOR = os.environ["NAMESPACE"], os.environ["OPERATOR"]
PATIENCE_SECONDS = 60


def get(path):
    headers = {"Authorization": "Bearer " + (MOUNT / "token").read_text()}
    host = f"[{HOST}]" if ":" in HOST else HOST
    request = urllib.request.Request(f"https://{host}:{PORT}{path}", headers=headers)
    context = ssl.create_default_context(cafile=MOUNT / "ca.crt")
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return json.load(answer)


def find_fault():
    served = get("/apis/mcp.bigtorig.com/v1alpha1")["resources"]
    if not any(resource["name"] == "mcphubs" for resource in served):
        return "the cluster does not serve McpHubs"
    deployment = get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{OPERATOR}")
    if not deployment.get("status", {}).get("availableReplicas"):
        return "no replica of the operator is available"
    lease = get(
        f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{OPERATOR}"
    )
    renewed = datetime.fromisoformat(lease["spec"]["renewTime"])
    if (datetime.now(UTC) - renewed).total_seconds() > lease["spec"][
        "leaseDurationSeconds"
    ]:
        return "no replica renews the Lease"
    return None


deadline = time.monotonic() + PATIENCE_SECONDS
while True:
    try:
        fault = find_fault()
    except urllib.error.HTTPError as error:
        fault = f"the API server answers {error.code} to {error.url}"
    if fault is None:
        print("McpHubs are served, and a replica of the operator leads")
        sys.exit(0)
    if time.monotonic() > deadline:
        sys.exit(fault)
    time.sleep(1)
