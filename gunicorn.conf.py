"""What gunicorn does whatever the command line says; it reads this file where it is started in the checkout."""

from __future__ import annotations

control_socket_disable = True
"""From 25.1 on gunicorn opens a socket through which it can be steered, under one name for all sites of a user: the
second site takes over the first one's, and whoever steers one site reaches the other. We steer by signals."""
