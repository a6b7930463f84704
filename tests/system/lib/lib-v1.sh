# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The v1 API with the commands that HyperSDK publishes, word for word. Sourced after lib.sh.

# v1_up: the user admin of the published commands exists, and the API is served at your-server
v1_up() {
        useradd -M -s /usr/sbin/nologin -G hyper-admin admin
        chpasswd <<<'admin:secret'
        echo '127.0.0.1 your-server' >>/etc/hosts
        systemctl -q enable hyper-tls.socket
        systemctl restart hyper.socket
        # The new certificate restarts the service, which interrupts logins.
        eventually 30 "admin logs in" v1_log_in
}

v1_log_in() {
        v1_token=$(
                curl -sk -X POST https://your-server:5080/api/v1/auth/login \
                        -H "Content-Type: application/json" \
                        -d '{"username": "admin", "password": "secret"}' | jq -r .token
        )
        [[ $v1_token == hyps_* ]]
}

# published: runs the command at standard input, with the token in place of TOKEN
published() { bash <<<"$(sed "s/TOKEN/$v1_token/")"; }

# v1 METHOD PATH [BODY]: the body of the reply; its status is v1_status
v1() {
        curl -sk -X "$1" -H "Authorization: Bearer $v1_token" ${3:+-d "$3"} -o /tmp/v1-body -w '%{http_code}' \
                "https://your-server:5080/api/v1$2" >/tmp/v1-status
        cat /tmp/v1-body
}
v1_status() { cat /tmp/v1-status; }
