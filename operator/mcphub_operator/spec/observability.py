"""What a hub tells those who run it, beside its logs and metrics."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.backends.kind import SecretFile, SecretKeyRef
from mcphub_operator.spec.model import Model, is_empty, rule, rules
from mcphub_operator.spec.strings import OptionalOTLPURL


class OTLP(Model):
    """Traces by OTLP over HTTP (protobuf)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"!({is_empty('self.endpoint')}) || !has(self.headersSecretRef)"
                f" || {is_empty('self.headersSecretRef.name')}",
                "headersSecretRef needs an endpoint, to which the headers are sent",
                field="headersSecretRef",
            )
        )
    )

    endpoint: OptionalOTLPURL = ""
    """URL of a collector, such as http://otel-collector.observability.svc:4318. Spans
    are posted to /v1/traces below it. Empty: no traces."""

    headers_secret_ref: SecretKeyRef = SecretKeyRef()
    """Headers of these requests, if the collector needs some: name=value pairs, apart
    by commas, the values percent-encoded."""

    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 1
    """Share of the traces that are recorded, from 0 to 1, where the client's
    traceparent does not decide it."""

    def secret_files(self) -> Iterator[SecretFile]:
        """Yield the key of the Secret that the pods read as a file."""
        if self.endpoint:
            yield from self.headers_secret_ref.files("headers")


class Observability(Model):
    """What a hub tells those who run it, beside its logs and metrics."""

    otlp: OTLP = OTLP()
    """Traces of the calls, from the client to the database."""
