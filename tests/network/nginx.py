"""nginx with a site for each host name, and TLS in front of all."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HEAD = """
user root;  # the folders of tests are root's
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
  ssl_certificate {folder}/tls/tls.crt;
  ssl_certificate_key {folder}/tls/tls.key;
"""
SITE = """
  upstream {name} {{
{servers}
    keepalive 32;
  }}
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name {host};
    client_max_body_size 5m;
    location / {{
      proxy_pass http://{name};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
      gzip off;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
      proxy_next_upstream error timeout non_idempotent;
    }}
  }}
"""


class Site(NamedTuple):
    """A host name and where its requests go."""

    host: str
    addresses: tuple[str, ...]


def build_nginx(folder: Path, port: int, sites: Iterable[Site]) -> str:
    """Return the configuration; a site without addresses is left out."""
    parts = [HEAD.format(folder=folder)]
    for site in sites:
        if site.addresses:
            servers = "\n".join(f"    server {one};" for one in site.addresses)
            name = site.host.replace(".", "_")
            parts.append(
                SITE.format(name=name, servers=servers, port=port, host=site.host)
            )
    return "".join([*parts, "}\n"])
