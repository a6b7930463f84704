/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A line of JSON for each provider, followed by a line for each of its VMs. */

#include "api/v1/v1-inventory-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "json/json-table.h"

#define FILE_NAME "inventories"
#define FILE_NAME_NEW "inventories.new"
/* More than a line of ListVMs of hyper-vsphered. */
#define TEXT_MAX ((size_t) 64 << 10)
#define LINE_MAX_SIZE ((size_t) 1 << 20)

static const char *const tools_words[] = { "not_running", "running" };

static int tools_from_string(const char *s) {
        for (int i = 0; i < (int) ELEMENTSOF(tools_words); i++)
                if (streq(tools_words[i], s))
                        return i;
        return -EINVAL;
}

/* --- writing --------------------------------------------------------------------------------------- */

static int write_line(FILE *f, json_t *o) {
        int r = !o ? -ENOMEM : json_dumpf(o, f, JSON_COMPACT) < 0 || fputc('\n', f) == EOF ? -EIO : 0;

        json_decref(o);
        return r;
}

static json_t *provider_line(const V1Provider *p) {
        json_t *o = json_pack("{s:s, s:s?, s:s?, s:I, s:I, s:I, s:I}", "id", p->id, "endpoint", p->endpoint,
                        "username", p->username, "created_at", (json_int_t) p->created_at, "tried_at",
                        (json_int_t) p->tried_at, "connected_at", (json_int_t) p->connected_at, "last_seen",
                        (json_int_t) p->last_seen);
        json_t *more = json_pack("{s:b, s:s?, s:I, s:I, s:s?, s:b, s:I, s:I}", "connected", p->connected,
                        "error", p->error, "error_status", (json_int_t) p->error_status, "n_failed",
                        (json_int_t) p->n_failed, "version", p->version, "has_vms", p->has_vms, "read_at",
                        (json_int_t) p->read_at, "n_vms", (json_int_t) p->inventory.n);

        if (o && json_object_update_new(o, more) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

static json_t *vm_line(const V1Vm *vm) {
        return json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I}",
                        "id", vm->id, "name", vm->name, "path", vm->path, "uuid", vm->uuid, "instance_uuid",
                        vm->instance_uuid, "os_version", vm->os_version, "ip", vm->ip, "annotation",
                        vm->annotation, "tools", vm->tools, "os", v1_os_to_string(vm->os), "power",
                        v1_power_to_string(vm->power), "cpu", (json_int_t) vm->cpu, "memory_mb",
                        (json_int_t) vm->memory_mb, "last_seen", (json_int_t) vm->last_seen);
}

static int write_all(FILE *f, const V1Providers *all) {
        int r = 0;

        for (size_t i = 0; i < all->n; i++) {
                const V1Provider *p = all->list[i];

                if (p->type != V1_PROVIDER_VSPHERE)
                        continue;
                r = write_line(f, provider_line(p));
                for (size_t k = 0; k < p->inventory.n && r >= 0; k++)
                        r = write_line(f, vm_line(&p->inventory.vms[k]));
                if (r < 0)
                        return r;
        }
        return fflush(f) != 0 ? -errno : 0;
}

/* It is not flushed to the disk: after a power failure, what is missing is read from the server again. */
int v1_inventory_file_write(const char *directory, const V1Providers *all) {
        _cleanup_close_ int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        _cleanup_fclose_ FILE *f = NULL;
        int r;

        if (dir_fd < 0)
                return -errno;
        fd = openat(dir_fd, FILE_NAME_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        f = fd < 0 ? NULL : fdopen(fd, "w");
        if (!f)
                return -errno;
        (void) TAKE_FD(fd);
        r = write_all(f, all);
        if (r >= 0 && renameat(dir_fd, FILE_NAME_NEW, dir_fd, FILE_NAME) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir_fd, FILE_NAME_NEW, 0);
        return r;
}

/* --- reading --------------------------------------------------------------------------------------- */

typedef struct ProviderLine {
        V1Provider p;
        uint64_t n_vms;
} ProviderLine;

typedef struct VmLine {
        V1Vm vm;
        int tools;
} VmLine;

#define TEXT(key, type, member, flags) \
        { key, JSON_FIELD_STRING, offsetof(type, member), flags, .max = TEXT_MAX }
#define NUMBER(key, type, member) \
        { key, JSON_FIELD_UINT64, offsetof(type, member) }

static const JsonField provider_fields[] = {
        TEXT("id", ProviderLine, p.id, JSON_REQUIRED | JSON_NONEMPTY),
        TEXT("endpoint", ProviderLine, p.endpoint, JSON_NULLABLE),
        TEXT("username", ProviderLine, p.username, JSON_NULLABLE),
        TEXT("error", ProviderLine, p.error, JSON_NULLABLE),
        TEXT("version", ProviderLine, p.version, JSON_NULLABLE),
        NUMBER("created_at", ProviderLine, p.created_at),
        NUMBER("tried_at", ProviderLine, p.tried_at),
        NUMBER("connected_at", ProviderLine, p.connected_at),
        NUMBER("last_seen", ProviderLine, p.last_seen),
        NUMBER("read_at", ProviderLine, p.read_at),
        NUMBER("n_vms", ProviderLine, n_vms),
        { "connected", JSON_FIELD_BOOLEAN, offsetof(ProviderLine, p.connected) },
        { "has_vms", JSON_FIELD_BOOLEAN, offsetof(ProviderLine, p.has_vms) },
        { "error_status", JSON_FIELD_UNSIGNED, offsetof(ProviderLine, p.error_status) },
        { "n_failed", JSON_FIELD_UNSIGNED, offsetof(ProviderLine, p.n_failed) },
        {},
};

static const JsonField vm_fields[] = {
        TEXT("id", VmLine, vm.id, JSON_REQUIRED | JSON_NONEMPTY),
        TEXT("name", VmLine, vm.name, JSON_REQUIRED | JSON_NONEMPTY),
        TEXT("path", VmLine, vm.path, JSON_NULLABLE),
        TEXT("uuid", VmLine, vm.uuid, JSON_NULLABLE),
        TEXT("instance_uuid", VmLine, vm.instance_uuid, JSON_NULLABLE),
        TEXT("os_version", VmLine, vm.os_version, JSON_NULLABLE),
        TEXT("ip", VmLine, vm.ip, JSON_NULLABLE),
        TEXT("annotation", VmLine, vm.annotation, JSON_NULLABLE),
        { "tools", JSON_FIELD_ENUM, offsetof(VmLine, tools), JSON_NULLABLE, .from_string = tools_from_string,
                        .expected = "not_running, running" },
        { "os", JSON_FIELD_ENUM, offsetof(VmLine, vm.os), JSON_NULLABLE, .from_string = v1_os_from_string,
                        .expected = "linux, other, windows" },
        { "power", JSON_FIELD_ENUM, offsetof(VmLine, vm.power), JSON_NULLABLE,
                        .from_string = v1_power_from_status,
                        .expected = "poweredOn, poweredOff, suspended" },
        { "cpu", JSON_FIELD_UNSIGNED, offsetof(VmLine, vm.cpu) },
        NUMBER("memory_mb", VmLine, vm.memory_mb),
        NUMBER("last_seen", VmLine, vm.last_seen),
        {},
};

typedef struct Reader {
        FILE *file;
        char *line;
        size_t allocated;
} Reader;

static void reader_done(Reader *d) {
        if (d->file)
                fclose(d->file);
        free(d->line);
}

/* -EBADMSG: there is no such line. */
static int read_line(Reader *d, const JsonField *fields, void *base) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *o = NULL;
        ssize_t n = getline(&d->line, &d->allocated, d->file);
        int r;

        if (n <= 0 || (size_t) n > LINE_MAX_SIZE)
                return -EBADMSG;
        o = json_loadb(d->line, (size_t) n, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(o))
                return -EBADMSG;
        r = json_table_decode(fields, o, "", base, &errors);
        return r < 0 ? r : errors.n_errors > 0 ? -EBADMSG : 0;
}

static int read_vm(Reader *d, V1Inventory *i) {
        VmLine line = { .vm = { .os = _V1_OS_INVALID, .power = _V1_POWER_INVALID }, .tools = -1 };
        int r;

        if (!GREEDY_REALLOC(i->vms, i->allocated, i->n + 1))
                return -ENOMEM;
        r = read_line(d, vm_fields, &line);
        if (r < 0) {
                v1_vm_done(&line.vm);
                return r;
        }
        line.vm.tools = line.tools >= 0 ? tools_words[line.tools] : NULL;
        i->vms[i->n++] = line.vm;
        return 0;
}

static int read_provider(Reader *d, V1Provider **ret) {
        ProviderLine line = {};
        V1Provider *p;
        int r = read_line(d, provider_fields, &line);

        for (uint64_t i = 0; i < line.n_vms && r >= 0; i++)
                r = read_vm(d, &line.p.inventory);
        p = new0(V1Provider, 1);
        if (!p || r < 0) {
                v1_inventory_done(&line.p.inventory);
                json_table_done(provider_fields, &line);
                free(p);
                return r < 0 ? r : -ENOMEM;
        }
        *p = line.p;
        p->n_ref = 1;
        p->type = V1_PROVIDER_VSPHERE;
        p->vm_count = p->inventory.n;
        *ret = p;
        return 0;
}

int v1_inventory_file_read(const char *directory, V1Providers *all) {
        _cleanup_free_ char *path = strprintf("%s/" FILE_NAME, directory);
        _cleanup_(reader_done) Reader d = {};
        V1Provider *p;
        int r = 0;

        if (!path)
                return -ENOMEM;
        d.file = fopen(path, "re");
        if (!d.file)
                return -errno;
        while (r >= 0) {
                if (!GREEDY_REALLOC(all->list, all->allocated, all->n + 1))
                        return -ENOMEM;
                r = read_provider(&d, &p);
                if (r >= 0)
                        all->list[all->n++] = p;
        }
        return r == -EBADMSG ? 0 : r;
}
