#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# runs-on: host
# second-machine: yes
# machine: proxy
#
# hyper-agentd over TLS, to nginx before the server's worker API: with a certificate of its own and without
# one, with the wrong CA, the wrong name, and the wrong key.

# shellcheck disable=SC2016 # for the shells inside
# shellcheck source=tests/system/lib/lib-agent.sh
. "$(dirname "$0")/../lib/lib-agent.sh"

set_up_server
make_images

# A CA, a server's certificate for the address, a worker's, and another CA that nobody trusts
on_server sh -ec 'mkdir /etc/tls; cd /etc/tls
        for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$ca" -keyout $ca.key -out $ca.pem 2>/dev/null; done
        sign() { openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout $1.key -out $1.csr 2>/dev/null
                printf "subjectAltName=%s\n" "$2" >$1.ext; openssl x509 -req -days 30 -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $1.ext -out $1.pem 2>/dev/null; }
        sign server IP:10.77.0.2; sign misnamed IP:10.77.0.9; sign worker DNS:w1
        cat >/etc/nginx/nginx.conf <<EOF
user www-data;
events {}
http {
        proxy_read_timeout 90s;
        server { listen 10.77.0.2:8443 ssl; ssl_certificate /etc/tls/server.pem; ssl_certificate_key /etc/tls/server.key;
                ssl_client_certificate /etc/tls/ca.pem; ssl_verify_client on; location / { proxy_pass http://127.0.0.1:8000; } }
        server { listen 10.77.0.2:8444 ssl; ssl_certificate /etc/tls/misnamed.pem; ssl_certificate_key /etc/tls/misnamed.key;
                location / { proxy_pass http://127.0.0.1:8000; } }
}
EOF
        systemctl restart nginx'
on_server tar -C /etc/tls -c ca.pem other.pem worker.pem worker.key |
        on_worker sh -ec 'mkdir -p /etc/hyper/tls; tar -C /etc/hyper/tls -x --no-same-owner
        mkdir -p -m 700 /etc/credstore; mv /etc/hyper/tls/worker.key /etc/credstore/hyper-agent.tls-key; chmod 600 /etc/credstore/hyper-agent.tls-key'

# agent PORT API-KEY [SETTINGS]: starts it with these
agent() {
        printf 'server:\n  url: https://10.77.0.2:%s\n%s\nworker: {id: w1, heartbeat: 2}\n' "$1" "${3:-}" |
                on_worker sh -c 'mkdir -p /srv/agent; cat >/etc/hyper/agent.yaml'
        printf '%s\n' "$2" | on_worker sh -c \
                'umask 077; cat >/etc/credstore/hyper-agent.api-key; systemctl restart hyper-agentd'
}
# refused WHAT TEXT: it is not connected, and says so
refused() {
        eventually 20 "$1 is refused" is_not_connected
        contains "$(agent_status)" "$2" "the status with $1"
        # (--check says the same, as root without systemd)
        ! on_worker /usr/libexec/hyper-agentd --check >/dev/null 2>&1 || fail "--check is content with $1"
}
ours='  certificate_file: /etc/hyper/tls/worker.pem'
agent 8443 "$key" "$ours"
refused "a CA that the system does not know" "certificate"
agent 8443 "$key" "$ours
  ca_file: /etc/hyper/tls/other.pem"
refused "the wrong CA" "certificate"
agent 8444 "$key" "  ca_file: /etc/hyper/tls/ca.pem"
refused "a certificate for another name" "10.77.0.2"
agent 8443 "$key" "  ca_file: /etc/hyper/tls/ca.pem"
refused "no certificate of its own" "400"
agent 8443 hk_0000000000000000000000000000000000000000000 "$ours
  ca_file: /etc/hyper/tls/ca.pem"
refused "the wrong key" "401"
agent 8443 "$key" "$ours
  ca_file: /etc/hyper/tls/ca.pem"
eventually 20 "the agent is connected" is_connected
on_worker /usr/libexec/hyper-agentd --check >/dev/null || fail "--check is not content"
submit over-tls
submit over-tls-slow
ended over-tls
ended over-tls-slow
stop_slow_source
