"""The nginx configurations of a run: the plain upstream, and the proxy that is the yardstick.

Both are text made from ports and folders. Nothing is started here.
"""

import os
from pathlib import Path

from bench import wire
from bench.wire import Dialect

STATS_PATH = "/bench/stats"


def command(program: str, folder: Path, config: Path) -> tuple[str, ...]:
    """The command that runs nginx in the foreground with this configuration."""
    return (program, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(config))


def upstream_config(folder: Path, port: int) -> str:
    """An upstream that reads a whole request and answers it with a fixed body.

    `return` alone would answer before it has read a long body, which no provider does and which
    spares a gateway half of its work. So each path first mirrors the request to nowhere (nginx
    reads the body for that), then lets the file handler find no file, and turns the refusal into
    the answer.
    """
    answers = "\n".join(_fixed_answer(folder, dialect) for dialect in Dialect)
    return _document(
        folder,
        f"""
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = {STATS_PATH} {{ stub_status; }}
    location = /read {{ internal; return 204; }}
{answers}
  }}""",
    )


def proxy_config(
    folder: Path, *, plain_port: int, stream_port: int, plain_upstream: int, stream_upstream: int
) -> str:
    """`proxy_pass` as an operator would tune it: HTTP/1.1, kept connections, no buffering."""
    return _document(
        folder,
        f"""
  upstream plain {{
    server 127.0.0.1:{plain_upstream}; keepalive 128; keepalive_requests 1000000000;
  }}
  upstream stream {{
    server 127.0.0.1:{stream_upstream}; keepalive 1024; keepalive_requests 1000000000;
  }}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_buffering off;
  proxy_read_timeout 600s;
  server {{
    listen 127.0.0.1:{plain_port} backlog=4096;
    location / {{ proxy_pass http://plain; }}
  }}
  server {{
    listen 127.0.0.1:{stream_port} backlog=4096;
    location / {{ proxy_pass http://stream; }}
  }}""",
    )


def _document(folder: Path, servers: str) -> str:
    # A worker of an nginx started by root drops to another user unless told to stay, and could
    # then not enter the run's private folder. Anyone else may not name a user at all.
    user = "user root;\n" if os.geteuid() == 0 else ""
    temporary = "\n".join(
        f"  {kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""{user}daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder / "nginx.pid"};
error_log {folder / "error.log"} crit;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  client_max_body_size 64m;
  client_body_buffer_size 2m;
{temporary}{servers}
}}
"""


def _fixed_answer(folder: Path, dialect: Dialect) -> str:
    return f"""    location = {dialect.value} {{
      root {folder}; mirror /read; mirror_request_body on;
      error_page 404 405 =200 @{dialect.name};
    }}
    location @{dialect.name} {{ return 200 '{_literal(wire.plain_answer(dialect))}'; }}"""


def _literal(body: bytes) -> str:
    """A body as nginx reads it between single quotes, where `$` would begin a variable.

    Raises:
        ValueError: the body has a character that nginx would read as its own.
    """
    text = body.decode()
    if any(character in text for character in "'$\\"):
        raise ValueError("nginx cannot hold an answer with a quote, a backslash or a dollar sign")
    return text
