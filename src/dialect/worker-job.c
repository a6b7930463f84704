/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dialect/worker-job.h"
#include "basic/string-util.h"
#include "dialect/dialect-complete.h"
#include "spec/endpoint-kind.h"

/* Two forms of the spec are in use: audit_info {requested_by, ticket_id, tags: […]} with
 * parameters.output_path, and audit {requested_by, ticket, tags: {…}} with artifacts.output_path. Both are
 * taken, also mixed. An image.path or output_path may be an nbd:// URI. Without an output path the output
 * stands beside the source,
 * "<name>.<format>". */
const FieldMap worker_fields[] = {
        { "job_id", "job_id", FIELD_SHOWN,
                        "1 to 128 letters, digits, \".\", \"_\", \":\" and \"-\"; a UUID is made if there "
                        "is none." },
        { "operation", "operation", FIELD_SHOWN,
                        "convert, if nothing is said; the others only with queue=true." },

        { "image.path", "source.path", FIELD_SHOWN | FIELD_REQUIRED,
                        "An absolute path or file:// URL on this machine, or an nbd:// URI; for vSphere, "
                        "image.vm_path." },
        { "image.path", "source.uri", FIELD_SHOWN | FIELD_OUT_ONLY },
        { "image.format", "source.format", FIELD_SHOWN, "Found out by looking, if nothing is said." },
        { "image.checksum", "source.checksum", FIELD_SHOWN,
                        "\"sha256:\" and 64 hexadecimal digits; checked before the work." },
        { "image.further_disks", "source.further_disks", FIELD_SHOWN,
                        "Without an output: the paths of the other disks of the same virtual machine." },
        { "image.tls_certificates", "source.tls_certificates", FIELD_SHOWN,
                        "For nbds://: a directory with ca-cert.pem and so on." },
        { "image.tls_psk", "source.tls_psk", 0, "For nbds://: a pre-shared key, \"[user:]key\"." },
        { "image.name", "source.name", FIELD_SHOWN, "For vSphere: a stored source, instead of a server." },
        { "image.vcenter_url", "source.vcenter_url", FIELD_SHOWN,
                        "For vSphere: the server, HOST[:PORT] or https://HOST[:PORT]." },
        { "image.username", "source.username", FIELD_SHOWN },
        { "image.password", "source.password", FIELD_SHOWN },
        { "image.ca", "source.ca", FIELD_SHOWN, "For vSphere: CA certificates in PEM form." },
        { "image.thumbprint", "source.thumbprint", FIELD_SHOWN,
                        "For vSphere: the SHA-256 digest of the server's certificate." },
        { "image.datacenter", "source.datacenter", FIELD_SHOWN },
        { "image.vm_path", "source.vm_path", FIELD_SHOWN,
                        "For vSphere: the inventory path of the virtual machine, or its name." },
        { "image.vm_uuid", "source.vm_uuid", FIELD_SHOWN, "For vSphere, instead of image.vm_path." },

        { "parameters.output_path", "destination.path", FIELD_SHOWN,
                        "An absolute path, a directory if it ends with \"/\", or an nbd:// URI; beside the "
                        "source, "
                        "if nothing is said." },
        { "parameters.output_path", "destination.uri", FIELD_SHOWN | FIELD_OUT_ONLY },
        { "artifacts.output_path", "destination.path", FIELD_SHOWN,
                        "The directory of the output; or its file, if the name ends in .qcow2, .raw, .img "
                        "or .vmdk." },
        { "artifacts.output_path", "destination.uri", FIELD_SHOWN | FIELD_OUT_ONLY },
        { "parameters.output_format", "destination.format", FIELD_SHOWN,
                        "As the output's name ends, else qcow2, if nothing is said." },
        { "artifacts.output_format", "destination.format", 0, "The same as parameters.output_format." },
        { "parameters.output_type", "destination.type", 0,
                        "\"kvm\": defines a domain of libvirt, as parameters.domain_name does." },
        { "parameters.output_directory", TRANSLATE_DIRECTORY, 0,
                        "The directory of the output, instead of output_path; for kvm, "
                        "/var/lib/libvirt/images if nothing is said." },
        { "parameters.domain_name", "destination.name", FIELD_SHOWN,
                        "For kvm: the name of the domain, that of the source if nothing is said." },
        { "parameters.libvirt_uri", "destination.libvirt_uri", FIELD_SHOWN,
                        "For kvm: the libvirt of another host, which hyper-hostd knows; qemu:///system, that "
                        "of this machine, if nothing is said." },
        { "parameters.storage_pool", "destination.pool", FIELD_SHOWN,
                        "For kvm: the storage pool of the disks; on another host \"default\", if nothing "
                        "is said." },
        { "parameters.network_map", "destination.network_map", FIELD_SHOWN,
                        "For kvm: an object of networks of the source and networks or bridges of libvirt." },
        { "parameters.hardware", "destination.hardware", FIELD_SHOWN,
                        "For kvm: what differs from the hardware of the source, such as cpus and memory." },
        { "parameters.disk_bus", "destination.disk_bus", FIELD_SHOWN,
                        "For kvm: virtio, scsi, sata or ide; by the operating system, if nothing is said." },
        { "parameters.nic_model", "destination.nic_model", FIELD_SHOWN,
                        "For kvm: virtio, e1000e, e1000, rtl8139 or vmxnet3; likewise." },
        { "parameters.start", "destination.start", FIELD_SHOWN, "For kvm: starts the domain." },
        { "parameters.output_tls_certificates", "destination.tls_certificates", FIELD_SHOWN,
                        "As image.tls_certificates." },
        { "parameters.output_tls_psk", "destination.tls_psk", 0, "As image.tls_psk." },
        { "parameters.compress", "parameters.compress", FIELD_SHOWN, "qcow2 only." },
        { "parameters.compression", "parameters.compression", FIELD_SHOWN,
                        "qcow2 only. \"zlib\" (the default if compress is true) or \"zstd\"." },
        { "parameters.verify", "parameters.verify", FIELD_SHOWN,
                        "Reads the output back and compares it with the source: its data and a sample of "
                        "its "
                        "zeroes, or with \"full\" every byte." },
        { "parameters.in_use", "parameters.in_use", FIELD_SHOWN,
                        "\"allow\": reads a source that another program, such as a running virtual machine, "
                        "has open." },
        { "parameters.chain", "parameters.chain", FIELD_SHOWN,
                        "\"flatten\": reads an image on top of others, such as a snapshot, together with "
                        "all of "
                        "them." },
        { "parameters.allow_larger", "parameters.allow_larger", FIELD_SHOWN,
                        "Accepts an NBD destination that is larger than the source; what lies behind is "
                        "left "
                        "as it is." },
        { "parameters.conversion_method", "parameters.conversion_method", FIELD_SHOWN,
                        "For vSphere: how the disks are transferred; \"auto\" is the first of vddk, "
                        "nfc, https that is possible." },
        { "parameters.source_power", "parameters.source_power", FIELD_SHOWN,
                        "For vSphere: what is done with a virtual machine that is running." },
        { "parameters.shutdown_timeout_seconds", "parameters.shutdown_timeout_seconds", FIELD_SHOWN },
        { "parameters.power_off", "parameters.power_off", FIELD_SHOWN,
                        "For vSphere: powers it off if it does not shut down in time." },
        { "parameters.warm", "parameters.warm", FIELD_SHOWN,
                        "For vSphere: copies it in passes while it runs, and shuts it down for the last "
                        "one." },
        { "parameters.cutover", "parameters.cutover", FIELD_SHOWN,
                        "For a warm job: when that is, \"manual\" (the default) or a time." },
        { "parameters.interval_seconds", "parameters.interval_seconds", FIELD_SHOWN,
                        "For a warm job: the time between two passes." },
        { "parameters.power_on_after_failure", "parameters.power_on_after_failure", FIELD_SHOWN,
                        "For a warm job: starts the machine again if the cutover fails." },
        { "parameters.fix", "parameters.fix", FIELD_SHOWN,
                        "\"none\", \"auto\" (the default for kvm), or a list of fs_repair, "
                        "lvm_repair, offline_fix, boot_repair, "
                        "initramfs_regenerate and selinux_prep: changes the guest on the copied disks so "
                        "that it starts on KVM." },
        { "parameters.root", "parameters.root", FIELD_SHOWN,
                        "The file system of the operating system to fix if there are several, such as "
                        "\"/dev/sda2\"." },
        { "parameters.luks_keys", "parameters.luks_keys", 0,
                        "The passphrases of the guest's encrypted devices, one on each line." },
        { "parameters.method", "parameters.method", FIELD_SHOWN,
                        "For initramfs_regenerate: \"append\" (the default) adds the missing drivers, "
                        "\"native\" has the guest's own program make the initramfs anew." },
        { "parameters.relabel", "parameters.relabel", FIELD_SHOWN,
                        "For selinux_prep: which files are labeled, \"changed\" (the default), \"full\" or "
                        "\"firstboot\"." },
        { "parameters.boot_check", "parameters.boot_check", FIELD_SHOWN,
                        "For kvm: starts the hardware of the domain on unchanged disks and without a "
                        "network, to see whether the guest boots." },
        { "parameters.boot_timeout_seconds", "parameters.boot_timeout_seconds", FIELD_SHOWN,
                        "For kvm: how long that may take." },
        { "parameters.dry_run", "parameters.dry_run", FIELD_SHOWN,
                        "For an operation that fixes a guest: writes nothing; the result lists what would be "
                        "changed." },
        { "parameters.force", "parameters.force", FIELD_SHOWN,
                        "For fs_repair: repairs a file system even if data in it may be lost." },

        { "execution_policy.timeout_seconds", "execution_policy.timeout_seconds", FIELD_SHOWN },
        { "execution_policy.retry_count", "execution_policy.retry_count", FIELD_SHOWN },
        { "execution_policy.priority", "execution_policy.priority", FIELD_SHOWN, "Higher ones go first." },
        { "execution_policy.idempotent", "execution_policy.idempotent", FIELD_SHOWN,
                        "Whether it may be tried again." },

        { "carbon", "carbon", FIELD_SHOWN, "Wait for a low carbon intensity of the grid." },
        { "executor", "executor", FIELD_SHOWN,
                        "Who chooses the machine for the job: slurm, or auto, which is the default." },
        { "limits", "limits", FIELD_SHOWN,
                        "Names of limits, such as \"esx:esx7.example.com\", that the job holds while it "
                        "runs, besides those of its endpoints." },
        { "placement.all", "placement.all", FIELD_SHOWN,
                        "Labels that the machine which carries the job out must have." },
        { "placement.none", "placement.none", FIELD_SHOWN, "Labels that it must not have." },
        { "placement.preferred", "placement.preferred", FIELD_SHOWN,
                        "Labels that it should have: other machines take the job if they find no other "
                        "one." },
        { "audit_info", "audit_info", FIELD_SHOWN, "Who wants it, and why: kept for you." },
        { "audit", "audit_info", FIELD_FALLBACK, "An older form of audit_info." },
        { "capability_requirements", "capability_requirements", FIELD_SHOWN },
        {},
};

/* audit.ticket is audit_info.ticket_id; the rest is kept as it is, tags in either form. */
static int complete_audit(Translation *t) {
        json_t *audit = translation_get(t, "audit_info"), *ticket = json_object_get(audit, "ticket");

        if (!ticket || json_object_get(audit, "ticket_id"))
                return 0;

        /* The request keeps its own. */
        _cleanup_json_ json_t *copy = json_copy(audit);
        if (!copy || json_object_set(copy, "ticket_id", ticket) < 0 || json_object_del(copy, "ticket") < 0)
                return -ENOMEM;
        return translation_set(t, "audit_info", json_incref(copy));
}

/* The formats that an image file's name may end in, to tell it from a directory's. */
static bool is_image_name(const char *path) {
        static const char *const ends[] = { ".qcow2", ".raw", ".img", ".vmdk", ".vdi", ".vhd", ".vhdx" };

        for (size_t i = 0; i < ELEMENTSOF(ends); i++)
                if (endswith(path, ends[i]))
                        return true;
        return false;
}

/* In the artifacts of this API, output_path is the directory of the outputs; only a name that ends as an
 * image's does is the file itself. Block devices have such names, too, and are no directories. */
static int complete_artifacts(Translation *t) {
        const char *path = translation_get_string(t, "destination.path"),
                   *origin = json_string_value(json_object_get(t->origins, "destination.path"));
        _cleanup_free_ char *directory = NULL;

        if (!path || path[0] != '/' || !streq_ptr(origin, "artifacts.output_path"))
                return 0;
        if (endswith(path, "/") || is_image_name(path) || startswith(path, "/dev/"))
                return 0;
        directory = strprintf("%s/", path);
        return directory ? translation_set(t, "destination.path", json_string(directory)) : -ENOMEM;
}

/* 1: refused. A domain may have both: the file of its first disk is in the directory. */
static int check_directory(Translation *t) {
        const char *type = translation_get_string(t, "destination.type");

        if (!translation_get(t, "destination.path") || !translation_get(t, TRANSLATE_DIRECTORY) ||
                        (type && endpoint_type_from_string(type) == ENDPOINT_KVM))
                return 0;
        int r = translation_error(t, TRANSLATE_DIRECTORY,
                        "must not be given with an output_path: the path says where the output is");
        return r < 0 ? r : 1;
}

#define TIMEOUT "execution_policy.timeout_seconds"

static int decode(json_t *object, unsigned timeout_default, DialectJob *ret, JsonErrors *errors) {
        _cleanup_(translation_done) Translation t = {};
        int r;

        r = translation_begin(&t, worker_fields, "body", object, errors);
        if (r < 0)
                return r;
        if (timeout_default > 0 && !translation_get(&t, TIMEOUT)) {
                r = translation_set(&t, TIMEOUT, json_integer(timeout_default));
                if (r < 0)
                        return r;
        }
        r = complete_audit(&t);
        if (r < 0)
                return r;
        r = check_directory(&t);
        if (r == 0)
                r = complete_artifacts(&t);
        if (r < 0)
                return r;
        r = translation_complete(&t);
        if (r < 0)
                return r;
        return translation_finish(&t, ret);
}

int worker_job_decode(json_t *object, DialectJob *ret, JsonErrors *errors) {
        return decode(object, WORKER_TIMEOUT_DEFAULT, ret, errors);
}

int worker_job_decode_held(json_t *object, DialectJob *ret, JsonErrors *errors) {
        return decode(object, 0, ret, errors);
}
