/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/kvm-spec.h"

#include "basic/string-util.h"
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
        if (r >= 0 && k->directory && path)
                r = json_errors_add(errors, "destination.directory", "must not be given with path");
        return r;
}

int kvm_spec_check(const KvmSpec *k, const char *path, JsonErrors *errors) {
        _cleanup_vm_ VmHardware *vm = NULL;
        const char *reason;
        int r = check_place(k, path, errors);

        if (r >= 0 && k->uri && !streq(k->uri, KVM_URI))
                r = json_errors_add(errors, "destination.libvirt_uri",
                                "must be " KVM_URI ": domains are defined on this machine only");
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
        if (*path)
                return 0;
        *path = strprintf("%s/%s.%s", streq(directory, "/") ? "" : directory, k->name, extension);
        return *path ? 0 : -ENOMEM;
}
