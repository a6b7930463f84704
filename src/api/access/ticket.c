/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/access/ticket.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "basic/string-util.h"

#define RANDOM_SIZE 32u

typedef struct Ticket {
        char text[2 * RANDOM_SIZE + 1];
        char *token;
        usec_t until; /* monotonic */
        TAILQ_ENTRY(Ticket) tickets;
} Ticket;

struct Tickets {
        TAILQ_HEAD(TicketList, Ticket) tickets; /* the oldest one first */
        unsigned n;
};

int tickets_new(Tickets **ret) {
        Tickets *t = new0(Tickets, 1);

        if (!t)
                return -ENOMEM;
        TAILQ_INIT(&t->tickets);
        *ret = t;
        return 0;
}

/* The caller takes over its token before. */
static void ticket_remove(Tickets *t, Ticket *ticket) {
        TAILQ_REMOVE(&t->tickets, ticket, tickets);
        t->n--;
        if (ticket->token)
                explicit_bzero(ticket->token, strlen(ticket->token));
        free(ticket->token);
        free(ticket);
}

Tickets *tickets_free(Tickets *t) {
        if (!t)
                return NULL;
        while (!TAILQ_EMPTY(&t->tickets))
                ticket_remove(t, TAILQ_FIRST(&t->tickets));
        return mfree(t);
}

static void remove_old(Tickets *t, usec_t now) {
        Ticket *oldest;

        while ((oldest = TAILQ_FIRST(&t->tickets)) && (oldest->until <= now || t->n >= TICKETS_MAX))
                ticket_remove(t, oldest);
}

static int make_text(char text[static 2 * RANDOM_SIZE + 1]) {
        static const char digits[] = "0123456789abcdef";
        uint8_t random[RANDOM_SIZE];

        if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return -EIO;
        for (size_t i = 0; i < sizeof(random); i++) {
                text[2 * i] = digits[random[i] >> 4];
                text[2 * i + 1] = digits[random[i] & 15];
        }
        return 0;
}

int tickets_make(Tickets *t, const char *token, usec_t now, char **ret) {
        Ticket *ticket = new0(Ticket, 1);
        char *copy = NULL;
        int r = ticket ? make_text(ticket->text) : -ENOMEM;

        if (r >= 0 && (!(ticket->token = strdup(token)) || !(copy = strdup(ticket->text))))
                r = -ENOMEM;
        if (r < 0) {
                if (ticket)
                        free(ticket->token);
                free(ticket);
                return r;
        }
        remove_old(t, now);
        ticket->until = now + TICKET_LIFETIME;
        TAILQ_INSERT_TAIL(&t->tickets, ticket, tickets);
        t->n++;
        *ret = copy;
        return 0;
}

int tickets_take(Tickets *t, const char *ticket, usec_t now, char **ret_token) {
        Ticket *i;

        remove_old(t, now);
        TAILQ_FOREACH(i, &t->tickets, tickets) {
                if (!streq(i->text, ticket))
                        continue;
                *ret_token = TAKE_PTR(i->token);
                ticket_remove(t, i);
                return 0;
        }
        return -ENOENT;
}

usec_t tickets_gone_at(const Tickets *t) {
        const Ticket *last = TAILQ_LAST(&t->tickets, TicketList);

        return last ? last->until : 0;
}
