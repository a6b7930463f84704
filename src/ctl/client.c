/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "ctl/client.h"
#include "ctl/polkit-agent.h"
#include "ctl/text.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "shared/role.h"

/* A prompt of polkit waits for a person; a submission probes files. */
#define CALL_TIMEOUT (180 * USEC_PER_SEC)

/* What hyperctl makes of an error of the bus, and the remedy where the error's own text cannot know it;
 * {daemon} and {action} are those of the verb. */
static const struct {
        const char *name;
        int status;
        const char *remedy;
} answers[] = {
        { HYPER_BUS_ERROR_NO_SUCH_JOB, EXIT_NO_SUCH_JOB, "\"hyperctl list\" shows the jobs there are." },
        { HYPER_BUS_ERROR_NO_SUCH_HOST, EXIT_NO_SUCH_JOB,
                        "\"hyperctl host list\" shows the hosts there are." },
        { HYPER_BUS_ERROR_NO_SUCH_VM, EXIT_NO_SUCH_JOB, "\"hyperctl vm list\" shows the VMs there are." },
        { SD_BUS_ERROR_UNKNOWN_OBJECT, EXIT_NO_SUCH_JOB, NULL },
        { HYPER_BUS_ERROR_HOST_EXISTS, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_WRONG_STATE, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_HOST_NOT_CONNECTED, EXIT_UNAVAILABLE,
                        "It is connected to again as soon as it answers." },
        { HYPER_BUS_ERROR_LIBVIRT, EXIT_OTHER, NULL },
        { HYPER_BUS_ERROR_NO_SUCH_WORKER, EXIT_NO_SUCH_JOB,
                        "\"hyperctl worker list\" shows the workers there are." },
        { HYPER_BUS_ERROR_NO_SUCH_SCHEDULE, EXIT_NO_SUCH_JOB,
                        "\"hyperctl schedule list\" shows the schedules there are." },
        { HYPER_BUS_ERROR_NO_SUCH_WEBHOOK, EXIT_NO_SUCH_JOB,
                        "\"hyperctl webhook list\" shows the webhooks there are." },
        { HYPER_BUS_ERROR_NO_SUCH_KEY, EXIT_NO_SUCH_JOB, "\"hyperctl key list\" shows the keys there are." },
        { HYPER_BUS_ERROR_KEY_EXISTS, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_NO_SUCH_SESSION, EXIT_NO_SUCH_JOB,
                        "\"hyperctl session list\" shows the sessions." },
        { HYPER_BUS_ERROR_NO_SUCH_SOURCE, EXIT_NO_SUCH_JOB, "\"hyperctl source list\" shows the sources." },
        { HYPER_BUS_ERROR_SOURCE_EXISTS, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_LOGIN_REFUSED, EXIT_REFUSED,
                        "Remove the source, and add it again with the right user and password." },
        { HYPER_BUS_ERROR_CERTIFICATE_REFUSED, EXIT_REFUSED,
                        "Compare the thumbprint with the server's, and add the source with --thumbprint= or "
                        "--ca=." },
        { HYPER_BUS_ERROR_NO_SUCH_SOURCE_VM, EXIT_NO_SUCH_JOB,
                        "\"hyperctl vsphere list\" shows the VMs of a source." },
        { HYPER_BUS_ERROR_SERVER_DENIED, EXIT_DENIED, NULL },
        { HYPER_BUS_ERROR_AMBIGUOUS_VM, EXIT_REFUSED, "Use the path of the VM." },
        { HYPER_BUS_ERROR_SERVER_TIMEOUT, EXIT_UNAVAILABLE, NULL },
        { HYPER_BUS_ERROR_SERVER_UNREACHABLE, EXIT_UNAVAILABLE, NULL },
        { HYPER_BUS_ERROR_VSPHERE, EXIT_OTHER, NULL },
        { HYPER_BUS_ERROR_INVALID_SPEC, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_INVALID_SCHEDULE, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_SCHEDULE_EXISTS, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_INVALID_ARGUMENT, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_NOT_SUPPORTED, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_JOB_EXISTS, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_JOB_FINISHED, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_PATH_REFUSED, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_TOO_LARGE, EXIT_REFUSED, NULL },
        { HYPER_BUS_ERROR_UNAVAILABLE, EXIT_UNAVAILABLE, "Try again in a moment." },
        { HYPER_BUS_ERROR_INTERNAL, EXIT_OTHER, "\"journalctl -u {daemon}\" tells more." },
        { HYPER_BUS_ERROR_ACCESS_DENIED, EXIT_DENIED,
                        "Run it as root or as a member of {group}, or have polkit allow {action}." },
        { SD_BUS_ERROR_ACCESS_DENIED, EXIT_DENIED,
                        "Run it as root, or as a member of the group hyper-viewer, hyper-operator or "
                        "hyper-admin." },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_DENIED,
                        "Run it as root, or without --no-ask-password at a terminal." },
        { SD_BUS_ERROR_SERVICE_UNKNOWN, EXIT_UNAVAILABLE,
                        "{daemon} is not installed there, or the bus does not know of it yet: "
                        "\"systemctl reload dbus\"." },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, EXIT_UNAVAILABLE, "\"systemctl status {daemon}\" tells more." },
        { SD_BUS_ERROR_NO_REPLY, EXIT_UNAVAILABLE, "\"systemctl status {daemon}\" tells more." },
        { SD_BUS_ERROR_TIMEOUT, EXIT_UNAVAILABLE, "\"systemctl status {daemon}\" tells more." },
        { SD_BUS_ERROR_DISCONNECTED, EXIT_UNAVAILABLE, "\"systemctl status dbus\" tells more." },
        { SD_BUS_ERROR_UNKNOWN_METHOD, EXIT_OTHER, "{daemon} and hyperctl are of different versions." },
        { "org.freedesktop.systemd1.NoSuchUnit", EXIT_UNAVAILABLE, "{daemon}.service is not installed." },
        { "org.freedesktop.systemd1.UnitMasked", EXIT_UNAVAILABLE,
                        "\"systemctl unmask {daemon}\" allows it again." },
        /* what the bus says when it could not have the manager started */
        { "org.freedesktop.DBus.Error.TimedOut", EXIT_UNAVAILABLE,
                        "\"systemctl status {daemon}\" tells more." },
        { "org.freedesktop.DBus.Error.Spawn.*", EXIT_UNAVAILABLE,
                        "\"systemctl status {daemon}\" tells more." },
        { "org.freedesktop.systemd1.*", EXIT_UNAVAILABLE, "\"systemctl status {daemon}\" tells more." },
};

/* A name in the table that ends in "*" stands for all that begin so. */
static int find_answer(const char *name) {
        for (size_t i = 0; name && i < ELEMENTSOF(answers); i++) {
                const char *star = endswith(answers[i].name, "*");

                if (star ? strncmp(answers[i].name, name, (size_t) (star - answers[i].name)) == 0
                         : streq(answers[i].name, name))
                        return (int) i;
        }
        return -ENOENT;
}

/* sd-bus wraps an errno of its own, such as that of a connection that broke, as System.Error.ENOTCONN. */
static bool is_local_error(const char *name) {
        return name && startswith(name, "System.Error.");
}

int client_exit_status(const char *name) {
        int i = find_answer(name);

        return i >= 0 ? answers[i].status : is_local_error(name) ? EXIT_UNAVAILABLE : EXIT_OTHER;
}

static const char *errno_remedy(const Ctl *ctl, int r) {
        if (r == -EACCES || r == -EPERM)
                return "Run it as root.";
        switch (ctl->args.transport) {
        case TRANSPORT_REMOTE:
                return "Check that \"ssh HOST systemd-stdio-bridge\" works without a question, and that "
                       "HOST has a "
                       "system bus.";
        case TRANSPORT_MACHINE:
                return "\"machinectl list\" shows the containers there are; entering one takes root.";
        default:
                return "Is the bus running? \"systemctl status dbus\" tells.";
        }
}

static int local_failure(Ctl *ctl, int r, const char *what) {
        bool local = ctl->args.transport == TRANSPORT_LOCAL;

        log_error_errno(r, "%s%s%s%s failed: %m. %s", what, local ? "" : " (", local ? "" : ctl->args.host,
                        local ? "" : ")", r == -ENOMEM ? "" : errno_remedy(ctl, r));
        return r == -EACCES || r == -EPERM ? EXIT_DENIED : r == -ENOMEM ? EXIT_OTHER : EXIT_UNAVAILABLE;
}

/* The least of the groups whose members may do it without a password (dbus/org.hyper1.rules). */
static const char *action_group(const char *action) {
        static const char *const admin[] = { "org.hyper1.manage-hosts", "org.hyper1.manage-keys",
                "org.hyper1.manage-sessions", "org.hyper1.manage-sources", "org.hyper1.manage-webhooks" };

        for (size_t i = 0; i < ELEMENTSOF(admin); i++)
                if (streq(admin[i], action))
                        return ROLE_GROUP_ADMIN;
        return ROLE_GROUP_OPERATOR;
}

/* @text with the names of whom the verb talks to in it. */
static char *fill_in(const Ctl *ctl, const char *text) {
        const struct {
                const char *name, *value;
        } names[] = { { "{daemon}", ctl->daemon }, { "{action}", ctl->action },
                { "{group}", action_group(ctl->action) } };
        char *filled = strdup("");

        for (const char *p = text, *brace; filled && *p; p = brace) {
                _cleanup_free_ char *before = filled;
                size_t n = strcspn(p, "{");
                const char *value = "";

                brace = p + n;
                for (size_t i = 0; i < ELEMENTSOF(names); i++)
                        if (startswith(p + n, names[i].name)) {
                                value = names[i].value;
                                brace += strlen(names[i].name);
                        }
                if (*brace == '{' && brace == p + n) { /* another one */
                        value = "{";
                        brace++;
                }
                filled = strprintf("%s%.*s%s", before, (int) n, p, value);
        }
        return filled;
}

/* What is said of an error before its remedy. The bus daemon quotes its rules, which does not help. */
static const char *client_error_text(const char *name, const char *message) {
        if (streq(name, SD_BUS_ERROR_ACCESS_DENIED) && startswith(message, "Rejected "))
                return "The bus does not let this user ask";
        return *message ? message : name;
}

int client_failure(Ctl *ctl, const sd_bus_error *error, int r, const char *what) {
        _cleanup_free_ char *line = NULL, *text = NULL, *remedy = NULL;
        int i;

        if (!sd_bus_error_is_set(error) || is_local_error(error->name))
                return local_failure(ctl, r, what);
        i = find_answer(error->name);
        remedy = fill_in(ctl, strempty(i >= 0 ? answers[i].remedy : NULL));
        line = bus_error_text(error);
        text = line ? text_escape(client_error_text(error->name, line), ctl->err.utf8) : NULL;
        if (!text || !remedy)
                return log_oom(), EXIT_OTHER;
        log_error("%s failed: %s%s%s%s", what, text, endswith(text, ".") ? "" : ".", *remedy ? " " : "",
                        remedy);
        return client_exit_status(error->name);
}

int client_open(Ctl *ctl, sd_bus **ret) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int r;

        switch (ctl->args.transport) {
        case TRANSPORT_REMOTE:
                r = sd_bus_open_system_remote(&bus, ctl->args.host);
                break;
        case TRANSPORT_MACHINE:
                r = sd_bus_open_system_machine(&bus, ctl->args.host);
                break;
        default:
                r = sd_bus_open_system(&bus);
        }
        if (r < 0)
                return r;
        r = sd_bus_set_allow_interactive_authorization(bus, !ctl->args.no_ask_password);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

int client_connect(Ctl *ctl, sd_bus **ret) {
        int r = client_open(ctl, ret);

        if (r < 0)
                return client_failure(ctl, NULL, r, "Connecting to the system bus");
        if (ctl->args.transport == TRANSPORT_LOCAL && !ctl->args.no_ask_password)
                polkit_agent_open();
        return EXIT_OK;
}

int client_call_message(Ctl *ctl, sd_bus *bus, sd_bus_message *m, sd_bus_message **ret, const char *what) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_call(bus, m, CALL_TIMEOUT, &error, ret);

        return r < 0 ? client_failure(ctl, &error, r, what) : EXIT_OK;
}

int client_call(Ctl *ctl, sd_bus *bus, sd_bus_message **ret, const char *what, const char *method,
                const char *types, ...) {
        _cleanup_message_ sd_bus_message *m = NULL;
        va_list ap;
        int r;

        r = sd_bus_message_new_method_call(
                        bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, method);
        if (r >= 0 && types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
        }
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        return client_call_message(ctl, bus, m, ret, what);
}

int client_read_json(Ctl *ctl, sd_bus_message *reply, const char *what, json_t **ret) {
        const char *text;
        int r = sd_bus_message_read(reply, "s", &text);

        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        *ret = json_loads(text, 0, NULL);
        return *ret ? EXIT_OK : client_failure(ctl, NULL, -EBADMSG, what);
}

int client_print_json(Ctl *ctl, json_t *value) {
        _cleanup_free_ char *text = NULL;

        if (!value)
                return log_oom(), EXIT_OTHER;
        text = text_json(value, ctl->args.json == JSON_MODE_PRETTY, ctl->out.tty ? ctl->out.utf8 : true);
        if (!text)
                return log_oom(), EXIT_OTHER;
        return puts(text) < 0 ? EXIT_OTHER : EXIT_OK;
}
