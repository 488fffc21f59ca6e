"""Reads where sinks are: addresses and logins from the environment, options from the file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from tiergate.base.values import Position
from tiergate.config.addresses import is_address
from tiergate.config.findings import At, Severity
from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot
from tiergate.core.cache_plan import BucketPlan
from tiergate.core.sink_plan import BucketPlace, FilePlace, OtlpPlace, WebhookPlace

ADDRESS: Final = "GENERIC_LOGGER_ENDPOINT"
HEADERS: Final = "GENERIC_LOGGER_HEADERS"
PUBLIC_KEY: Final = "LANGFUSE_PUBLIC_KEY"
SECRET_KEY: Final = "LANGFUSE_SECRET_KEY"  # noqa: S105 - the name of a variable
TRACES: Final = "/v1/traces"

_LANGFUSE_EU: Final = "https://cloud.langfuse.com"
_LANGFUSE_US: Final = "https://us.cloud.langfuse.com"
_LANGFUSE_DOOR: Final = "/api/public/otel"
_COLLECTOR: Final = "http://localhost:4318"
_GRPC: Final = frozenset({"grpc", "otlp_grpc"})
_HTTP: Final = frozenset({"otlp_http", "http/protobuf", "http/json", "otlp"})
_TOLD: Final = "to the address that is told about calls"
_S3_OF_LITELLM: Final = (
    "s3_batch_size",
    "s3_flush_interval",
    "s3_use_ssl",
    "s3_verify",
    "s3_config",
    "s3_api_version",
    "s3_max_retries",
    "s3_use_virtual_hosted_style",
    "s3_strip_base64_files",
    "s3_use_key_prefix",
)
_EVENTS: Final = ("llm_api_success", "llm_api_failure")


class Places:
    """Reads the places of sinks.

    Args:
        environ: The environment variables.
        extras: The optional parts of the installation that are there.
        reader: Where findings go.
        look_up: False for `--no-env`: a missing variable is no error.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        extras: AbstractSet[str],
        reader: Reader,
        *,
        look_up: bool,
    ) -> None:
        self._environ = environ
        self._extras = extras
        self._reader = reader
        self._look_up = look_up

    def folder_of(self, spot: Spot) -> str:
        """Return the folder of the file that holds a value."""
        return str(Path(spot.position.file).parent)

    # ------------------------------------------------------------------ webhooks

    def webhook(self, spot: Spot, own: Section) -> WebhookPlace | None:
        """Return the address of a webhook: its own options, else the environment's."""
        typed = self._reader.typed
        typed.choice(own.take("callback_type"), ("generic_api",))
        form = typed.choice(own.take("log_format"), ("json_array", "ndjson"))
        headers = typed.pairs(own.take("headers"))
        endpoint = own.take("endpoint")
        if endpoint is not None:
            url = typed.text(endpoint)
            if url is None:
                return None
            if not is_address(url):
                self._bad_address(endpoint.at)
                return None
        else:
            url = self._needed(ADDRESS, spot, "the webhook", _TOLD)
            if url is None:
                return None
            if not is_address(url):
                self._bad_address(_variable(ADDRESS))
                return None
            headers = (*self._headers(HEADERS), *headers)
        return WebhookPlace(url=url, headers=headers, lines=form == "ndjson")

    def events(self, own: Section) -> tuple[bool, bool]:
        """Return which calls a sink's own options ask for: good ones, failed ones."""
        spot = own.take("event_types")
        if spot is None:
            return True, True
        found = self._reader.typed.texts(spot)
        for name in found:
            if name not in _EVENTS:
                self._reader.findings.error(
                    "unknown-value",
                    spot.at,
                    f'there is no event type "{name}"',
                    f"Write {' or '.join(_EVENTS)}.",
                )
        return _EVENTS[0] in found, _EVENTS[1] in found

    # ------------------------------------------------------------------ traces

    def langfuse(self, spot: Spot, *, us_default: bool) -> OtlpPlace | None:
        """Return Langfuse's OTLP door, with the login of the environment."""
        public = self._needed(PUBLIC_KEY, spot, "langfuse", "to the public key of the project")
        secret = self._needed(SECRET_KEY, spot, "langfuse", "to the secret key of the project")
        if public is None or secret is None:
            return None
        names = ("LANGFUSE_OTEL_HOST", "LANGFUSE_HOST", "LANGFUSE_BASE_URL")
        name = next((each for each in names if self._environ.get(each, "").strip()), "")
        usual = _LANGFUSE_US if us_default else _LANGFUSE_EU
        host = self._environ[name].strip().rstrip("/") if name else usual
        if not is_address(host):
            self._bad_address(_variable(name))
            return None
        door = host if host.endswith(TRACES) else _joined(host, _LANGFUSE_DOOR) + TRACES
        login = b64encode(f"{public}:{secret}".encode()).decode()
        resource = {"service.name": self._environ.get("OTEL_SERVICE_NAME") or "tiergate"}
        for variable, attribute in (
            ("LANGFUSE_TRACING_ENVIRONMENT", "langfuse.environment"),
            ("LANGFUSE_RELEASE", "langfuse.release"),
        ):
            if self._environ.get(variable):
                resource[attribute] = self._environ[variable]
        return OtlpPlace(
            url=door,
            headers=(("authorization", f"Basic {login}"),),
            resource=MappingProxyType(resource),
            langfuse=True,
        )

    def otel(self, spot: Spot) -> OtlpPlace | None:
        """Return the OTLP/HTTP address of the environment (OpenTelemetry's names, LiteLLM's)."""
        environ = self._environ
        for name in ("OTEL_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL"):
            if not self._speaks_http(name, environ.get(name, "").strip().lower(), spot):
                return None
        url, name = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip(), ""
        if not url:
            names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_ENDPOINT")
            name = next((each for each in names if environ.get(each, "").strip()), "")
            base = environ[name].strip() if name else _COLLECTOR
            url = _joined(base, TRACES)
        if not is_address(url):
            self._bad_address(_variable(name or "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
            return None
        names = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_HEADERS")
        headers = next((each for each in names if environ.get(each)), "")
        pairs = self._headers(headers) if headers else ()
        if headers != "OTEL_HEADERS":  # the standard's own are percent-encoded
            pairs = tuple((key, unquote(value)) for key, value in pairs)
        return OtlpPlace(url=url, headers=pairs, resource=MappingProxyType(self._resource()))

    def _resource(self) -> dict[str, str]:
        environ = self._environ
        found = {"service.name": "tiergate"}
        for part in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
            name, equals, value = part.partition("=")
            if equals and name.strip():
                found[name.strip()] = unquote(value.strip())
        if environ.get("OTEL_SERVICE_NAME"):
            found["service.name"] = environ["OTEL_SERVICE_NAME"]
        if environ.get("OTEL_ENVIRONMENT_NAME"):
            found["deployment.environment"] = environ["OTEL_ENVIRONMENT_NAME"]
        return found

    def _speaks_http(self, name: str, word: str, spot: Spot) -> bool:
        if not word or word in _HTTP:
            return True
        advice = "Set OTEL_EXPORTER to otlp_http, and the port to that for HTTP (4318 mostly)."
        if word not in _GRPC:
            advice = "Set it to otlp_http, and OTEL_EXPORTER_OTLP_ENDPOINT to a collector."
        self._reader.findings.error(
            "unknown-value",
            spot.at,
            f"{name} asks for {word!r}, and traces are sent by OTLP over HTTP only",
            advice,
        )
        return False

    # ------------------------------------------------------------------ bucket and file

    def bucket(self, spot: Spot, params: Section) -> BucketPlace | None:
        """Return the bucket of `s3_callback_params`."""
        typed, findings = self._reader.typed, self._reader.findings
        name = typed.text(params.take("s3_bucket_name"))
        endpoint_spot = params.take("s3_endpoint_url")
        endpoint = typed.text(endpoint_spot)
        bucket = BucketPlan(
            name=name or "",
            path=(typed.text(params.take("s3_path")) or "").strip("/"),
            region=typed.text(params.take("s3_region_name")),
            endpoint=endpoint,
            key_id=typed.text(params.take("s3_aws_access_key_id")),
            secret=typed.secret(params.take("s3_aws_secret_access_key")),
            token=typed.secret(params.take("s3_aws_session_token")),
        )
        by_team = typed.flag(params.take("s3_use_team_prefix")) or False
        for key in _S3_OF_LITELLM:
            given = params.take(key)
            if given is not None:
                findings.idle(
                    Severity.NOTICE,
                    "no-effect",
                    given.at,
                    "has no effect here: how objects are sent is fixed",
                )
        if endpoint is not None and endpoint_spot is not None and not is_address(endpoint):
            self._bad_address(endpoint_spot.at)
            return None
        if name is None:
            if self._look_up or params.look("s3_bucket_name") is None:
                findings.error(
                    "missing-key",
                    spot.at,
                    "the s3 callback has no bucket",
                    "Write litellm_settings.s3_callback_params.s3_bucket_name.",
                )
            return None
        if "s3" not in self._extras:
            findings.error(
                "missing-extra",
                spot.at,
                "the s3 callback needs the package obstore, which is not installed",
                'Install it with: pip install "tiergate[s3]".',
            )
            return None
        return BucketPlace(bucket=bucket, by_team=by_team)

    def file(self, own: Section) -> FilePlace | None:
        """Return the file of `callback_settings.file`."""
        typed = self._reader.typed
        spot = own.take("path")
        path = typed.text(spot) or ""
        if path and spot is not None and not path.startswith(("~", "/")):
            path = str(Path(self.folder_of(spot)) / path)
        usual = FilePlace()
        most = typed.whole(own.take("max_bytes"), least=1024)
        keep = typed.whole(own.take("keep"))
        return FilePlace(
            path=path,
            most_bytes=usual.most_bytes if most is None else most,
            keep=usual.keep if keep is None else keep,
        )

    # ------------------------------------------------------------------ inside

    def _needed(self, name: str, spot: Spot, who: str, what: str) -> str | None:
        value = self._environ.get(name, "").strip()
        if value:
            return value
        if self._look_up:
            self._reader.findings.error(
                "unset-variable",
                spot.at,
                f"{who} needs the environment variable {name}, and it is not set",
                f"Set {name} {what}.",
            )
        return None

    def _bad_address(self, at: At) -> None:
        self._reader.findings.error(
            "bad-address", at, "is not an address that begins with http:// or https://"
        )

    def _headers(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return the headers of `name=value,name=value`. Values are never quoted."""
        found: list[tuple[str, str]] = []
        parts = filter(None, (part.strip() for part in self._environ.get(name, "").split(",")))
        for number, part in enumerate(parts, 1):
            key, equals, value = part.partition("=")
            key, value = key.strip(), value.strip()
            good = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
            if not equals or not good or not value.isprintable():
                self._reader.findings.error(
                    "bad-header",
                    _variable(name),
                    f"part {number} is not a header",
                    "Write name=value, with commas between several.",
                )
            else:
                found.append((key, value))
        return tuple(found)


def _variable(name: str) -> At:
    return At(name, Position("environment", 0))


def _joined(base: str, path: str) -> str:
    trimmed = base.rstrip("/")
    return trimmed if trimmed.endswith(path) else trimmed + path
