/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel answers about sockets. Whatever comes: a user is only named for the very connection that
 * was asked for, established and open. */

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "api/access/socket-diag.h"
#include "fuzz.h"

#define SEQUENCE 1u

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const UnixSocket socket = { .inode = 42 };
        TcpPair pair = { .local_port = htons(40000), .remote_port = htons(8080) };
        UnixAnswer answer;
        AddressRange range;
        uint32_t sequence;
        uid_t uid;

        check(address_range_parse("127.0.0.1", &range) == 0, "that is an address");
        pair.local = pair.remote = range.address;
        int r = socket_diag_tcp_user(data, size, SEQUENCE, &pair, &uid);
        if (r >= 0) {
                struct inet_diag_msg m;

                check(size >= NLMSG_HDRLEN + sizeof(m), "it is whole");
                memcpy(&m, data + NLMSG_HDRLEN, sizeof(m));
                check(m.idiag_state == TCP_ESTABLISHED && m.idiag_inode != 0, "it is open");
                check(m.id.idiag_sport == pair.local_port && m.id.idiag_dport == pair.remote_port,
                                "it is the one");
                check(uid == m.idiag_uid, "it is the user");
        }
        if (socket_diag_unix(data, size, SEQUENCE, &socket, &answer) >= 0)
                check(answer.uid != (uid_t) -1, "there is a user");
        if (r >= 0 || r == -ENOENT)
                check(socket_diag_sequence(data, size, &sequence) == 0 && sequence == SEQUENCE,
                                "it is the answer");
        return 0;
}
