/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/kvm-spec.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/host-uri.h"
#include "spec/job-path.h"
#include "spec/kvm-domain.h"
#include "spec/vm-json.h"

/* Without slashes at its end. NULL when out of memory. */
static char *tidy_directory(const char *directory) {
        size_t n = strlen(directory);

        while (n > 1 && directory[n - 1] == '/')
                n--;
        return strndup(directory, n);
}

static int check_directory(const char *directory, JsonErrors *errors) {
        _cleanup_free_ char *tidy = tidy_directory(directory);
        const char *reason;

        if (!tidy)
                return -ENOMEM;
        return job_path_is_valid(tidy, false, &reason)
                        ? 0
                        : json_errors_add(errors, "destination.directory", "%s", reason);
}

static int check_place(const KvmSpec *k, const char *path, JsonErrors *errors) {
        const char *reason;
        int r = 0;

        if (path && !job_path_is_valid(path, true, &reason))
                r = json_errors_add(errors, "destination.path", "%s", reason);
        if (r >= 0 && path && startswith(path, "/dev/"))
                r = json_errors_add(errors, "destination.path",
                                "must be a file for type \"kvm\": its disks are files");
        if (r >= 0 && k->directory)
                r = check_directory(k->directory, errors);
        /* It has a directory of its own; with another host, the other one is for the time before. */
        if (r >= 0 && k->pool && !kvm_spec_is_remote(k) && (k->directory || path))
                r = json_errors_add(errors, "destination.pool",
                                "must not be given with path or directory, unless the domain is on another "
                                "host");
        if (r >= 0 && k->directory && path)
                r = json_errors_add(errors, "destination.directory", "must not be given with path");
        return r;
}

const char *kvm_spec_uri(const KvmSpec *k) {
        return k->uri ? k->uri : KVM_URI;
}

bool kvm_spec_is_remote(const KvmSpec *k) {
        return k->uri && !host_uri_is_local(k->uri);
}

/* What may be a URI is for hyper-hostd to decide, which refuses hosts that it does not know. */
static int check_host(const KvmSpec *k, JsonErrors *errors) {
        const char *why;
        HostUri uri;
        int r = 0;

        if (k->uri && host_uri_parse(k->uri, false, &uri, &why) < 0)
                r = json_errors_add(errors, "destination.libvirt_uri", "%s", why);
        else if (k->uri && !endswith(k->uri, "/system") && !endswith(k->uri, "/system?no_verify=1"))
                r = json_errors_add(errors, "destination.libvirt_uri", "must end with /system");
        if (r >= 0 && k->pool &&
                        (isempty(k->pool) || strlen(k->pool) > VM_TEXT_MAX || !utf8_is_valid(k->pool) ||
                                        utf8_has_control(k->pool)))
                r = json_errors_add(errors, "destination.pool", "must be the name of a storage pool");
        return r;
}

int kvm_spec_check(const KvmSpec *k, const char *path, JsonErrors *errors) {
        _cleanup_vm_ VmHardware *vm = NULL;
        const char *reason;
        int r = check_place(k, path, errors);

        if (r >= 0)
                r = check_host(k, errors);
        if (r >= 0 && k->name && !kvm_name_is_valid(k->name, &reason))
                r = json_errors_add(errors, "destination.name", "%s", reason);
        if (r >= 0 && k->network_map && !kvm_network_map_is_valid(k->network_map))
                r = json_errors_add(errors, "destination.network_map",
                                "must be an object of names of networks, at most %u", KVM_NETWORKS_MAX);
        if (r >= 0 && k->disk_bus == VM_BUS_NVME)
                r = json_errors_add(
                                errors, "destination.disk_bus", "must be one of virtio, scsi, sata, ide");
        if (r >= 0 && k->nic_model && !kvm_nic_model_is_valid(k->nic_model))
                r = json_errors_add(errors, "destination.nic_model",
                                "must be one of virtio, e1000e, e1000, rtl8139, vmxnet3");
        if (r >= 0 && k->hardware)
                r = vm_hardware_from_json(k->hardware, "destination.hardware", &vm, errors);
        return r == -EBADMSG ? 0 : r;
}

int kvm_boot_check(bool domain, bool boot_check, unsigned timeout, JsonErrors *errors) {
        if (boot_check && !domain)
                return json_errors_add(errors, "parameters.boot_check",
                                "must not be given unless destination.type is \"kvm\"");
        if (timeout > 0 && !boot_check)
                return json_errors_add(errors, "parameters.boot_timeout_seconds",
                                "must not be given without parameters.boot_check");
        return 0;
}

int kvm_spec_complete(KvmSpec *k, const char *source_name, const char *extension, char **path,
                JsonErrors *errors) {
        _cleanup_free_ char *directory = tidy_directory(k->directory ? k->directory : KVM_DIRECTORY);
        const char *reason;

        if (!directory)
                return -ENOMEM;
        if (!k->name && !source_name)
                return json_errors_add(errors, "destination.name",
                                "must be given: the source has no name that the domain could have");
        if (!k->name && !kvm_name_is_valid(source_name, &reason))
                return json_errors_add(errors, "destination.name",
                                "must be given: the name of the source cannot be that of a domain (it %s)",
                                reason);
        if (!k->name && !(k->name = strdup(source_name)))
                return -ENOMEM;
        if (kvm_spec_is_remote(k) && !k->pool && !(k->pool = strdup(KVM_POOL)))
                return -ENOMEM;
        if (*path)
                return 0;
        *path = strprintf("%s/%s.%s", streq(directory, "/") ? "" : directory, k->name, extension);
        return *path ? 0 : -ENOMEM;
}
