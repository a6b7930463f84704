/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/ovf.h"
#include "spec/vm-json.h"
#include "unit/lib/test.h"

#define HEAD                                                                                            \
        "<Envelope xmlns:ovf=\"o\" xmlns:rasd=\"r\" xmlns:vmw=\"v\" xmlns:vbox=\"b\" xmlns:vssd=\"s\" " \
        "xmlns:xsi=\"x\">"
#define TAIL "</Envelope>"

/* The document of the machine in @text, in one line; "" if there is none. */
static char *read_vm(const char *text) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_vm_ VmHardware *again = NULL;
        _cleanup_ovf_ OvfDescriptor d = {};
        _cleanup_free_ char *why = NULL;
        _cleanup_json_ json_t *object = NULL;

        int r = ovf_parse(text, strlen(text), &d, &why);
        ck_assert_msg(r == 0, "%s", why);
        if (!d.vm)
                return strdup("");
        object = vm_hardware_to_json(d.vm);
        ck_assert_ptr_nonnull(object);
        ck_assert_int_eq(vm_hardware_from_json(object, "", &again, &errors), 0);
        return json_dumps(object, JSON_COMPACT);
}

static void assert_vm(const char *text, const char *expected) {
        _cleanup_free_ char *document = read_vm(text);

        ck_assert_str_eq(document, expected);
}

START_TEST(vmwares_machine) {
        assert_vm(HEAD "<References><File ovf:id=\"f1\" ovf:href=\"a.vmdk\"/><File ovf:id=\"f2\" "
                       "ovf:href=\"b.vmdk\"/></References>"
                       "<DiskSection><Disk ovf:diskId=\"vmdisk2\" ovf:fileRef=\"f2\" ovf:capacity=\"2\" "
                       "ovf:capacityAllocationUnits=\"byte * 2^20\"/><Disk ovf:diskId=\"none\"/>"
                       "<Disk ovf:diskId=\"vmdisk1\" ovf:fileRef=\"f1\"/></DiskSection>"
                       "<VirtualSystem ovf:id=\"web-id\"><Info>i</Info><Name>web &amp; co</Name>"
                       "<OperatingSystemSection ovf:id=\"96\" vmw:osType=\"debian12_64Guest\">"
                       "<Description>Debian</Description></OperatingSystemSection>"
                       "<VirtualHardwareSection><System>"
                       "<vssd:VirtualSystemType>vmx-19</vssd:VirtualSystemType></System>"
                       "<Item><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>8"
                       "</rasd:VirtualQuantity><vmw:CoresPerSocket>4</vmw:CoresPerSocket></Item>"
                       "<Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>"
                       "<rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>4096"
                       "</rasd:VirtualQuantity></Item>"
                       "<Item><rasd:Address>1</rasd:Address><rasd:InstanceID>3</rasd:InstanceID>"
                       "<rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>"
                       "<rasd:ResourceType>6</rasd:ResourceType></Item>"
                       "<Item><rasd:Address>0</rasd:Address><rasd:InstanceID>4</rasd:InstanceID>"
                       "<rasd:ResourceSubType>vmware.nvme.controller</rasd:ResourceSubType>"
                       "<rasd:ResourceType>20</rasd:ResourceType></Item>"
                       "<Item><rasd:AddressOnParent>5</rasd:AddressOnParent><rasd:HostResource>"
                       "ovf:/disk/vmdisk1</rasd:HostResource><rasd:Parent>3</rasd:Parent>"
                       "<rasd:ResourceType>17</rasd:ResourceType></Item>"
                       "<Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>"
                       "ovf:/disk/vmdisk2</rasd:HostResource><rasd:Parent>4</rasd:Parent>"
                       "<rasd:ResourceType>17</rasd:ResourceType></Item>"
                       "<Item><rasd:Address>00:50:56:AA:BB:CC</rasd:Address><rasd:AutomaticAllocation>true"
                       "</rasd:AutomaticAllocation><rasd:Connection>VM Network</rasd:Connection>"
                       "<rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType>"
                       "<vmw:Config ovf:required=\"false\" vmw:key=\"slotInfo.pciSlotNumber\" "
                       "vmw:value=\"192\"/>"
                       "<rasd:ResourceType>10</rasd:ResourceType></Item>"
                       "<Item><rasd:AutomaticAllocation>false</rasd:AutomaticAllocation>"
                       "<rasd:ResourceSubType>E1000</rasd:ResourceSubType>"
                       "<rasd:ResourceType>10</rasd:ResourceType></Item>"
                       "<vmw:Config vmw:key=\"firmware\" vmw:value=\"efi\"/>"
                       "<vmw:Config vmw:key=\"bootOptions.efiSecureBootEnabled\" vmw:value=\"true\"/>"
                       "<vmw:ExtraConfig vmw:key=\"uuid.bios\" vmw:value=\"42 10 c0 de 00 01 40 02-80 03 00 "
                       "00 00 00 ab cd\"/>"
                       "</VirtualHardwareSection></VirtualSystem>" TAIL,
                        "{\"name\":\"web & co\",\"uuid\":\"4210c0de-0001-4002-8003-00000000abcd\","
                        "\"guest_os\":\"debian12_64Guest\",\"firmware\":\"efi\",\"secure_boot\":true,"
                        "\"cpus\":8,\"cores_per_socket\":4,\"memory\":4294967296,"
                        "\"disks\":[{\"id\":\"vmdisk2\",\"bus\":\"nvme\",\"model\":\"vmware.nvme.controller\","
                        "\"controller\":0,\"unit\":0,\"capacity\":2097152},"
                        "{\"id\":\"vmdisk1\",\"bus\":\"scsi\",\"model\":\"virtualscsi\",\"controller\":1,"
                        "\"unit\":5}],"
                        "\"nics\":[{\"mac\":\"00:50:56:aa:bb:cc\",\"model\":\"vmxnet3\","
                        "\"network\":\"VM Network\",\"slot\":192,\"connected\":true},"
                        "{\"model\":\"e1000\",\"connected\":false}]}");
}
END_TEST

START_TEST(virtualboxs_machine) {
        assert_vm(HEAD "<References><File ovf:id=\"f\" ovf:href=\"a.vmdk\"/></References><DiskSection>"
                       "<Disk ovf:diskId=\"d\" ovf:fileRef=\"f\"/></DiskSection>"
                       "<VirtualSystem ovf:id=\"box\"><OperatingSystemSection ovf:id=\"96\">"
                       "<Description>Debian_64</Description><vbox:OSType>Debian12_64</vbox:OSType>"
                       "</OperatingSystemSection><VirtualHardwareSection><System>"
                       "<vssd:VirtualSystemType>virtualbox-2.2</vssd:VirtualSystemType></System>"
                       "<Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>AHCI"
                       "</rasd:ResourceSubType><rasd:ResourceType>20</rasd:ResourceType></Item>"
                       "<Item><rasd:HostResource>/disk/d</rasd:HostResource><rasd:Parent>3</rasd:Parent>"
                       "<rasd:ResourceType>17</rasd:ResourceType></Item>"
                       "<Item><rasd:Connection>NAT</rasd:Connection><rasd:ResourceType>10"
                       "</rasd:ResourceType></Item></VirtualHardwareSection>"
                       "<vbox:Machine uuid=\"{4210c0de-0001-4002-8003-00000000abcd}\"><Hardware>"
                       "<Network><Adapter slot=\"0\" enabled=\"false\" MACAddress=\"080027000001\"/>"
                       "<Adapter slot=\"1\" enabled=\"true\" MACAddress=\"080027000002\"/></Network>"
                       "<Firmware type=\"EFI64\"/></Hardware></vbox:Machine></VirtualSystem>" TAIL,
                        "{\"name\":\"box\",\"uuid\":\"4210c0de-0001-4002-8003-00000000abcd\","
                        "\"guest_os\":\"Debian12_64\",\"firmware\":\"efi\","
                        "\"disks\":[{\"id\":\"d\",\"bus\":\"sata\",\"model\":\"ahci\",\"controller\":0,"
                        "\"unit\":0}],\"nics\":[{\"mac\":\"08:00:27:00:00:02\",\"network\":\"NAT\","
                        "\"connected\":true}]}");
}
END_TEST

START_TEST(ovirts_machine) {
        assert_vm(HEAD "<References><File ovf:id=\"f\" ovf:href=\"i/v\"/></References>"
                       "<Section xsi:type=\"ovf:DiskSection_Type\"><Disk ovf:diskId=\"d\" "
                       "ovf:fileRef=\"i/v\"/></Section>"
                       "<Content ovf:id=\"out\" xsi:type=\"ovf:VirtualSystem_Type\"><Name>ov</Name>"
                       "<Section xsi:type=\"ovf:VirtualHardwareSection_Type\">"
                       "<Item><rasd:ResourceType>4</rasd:ResourceType><rasd:AllocationUnits>MegaBytes"
                       "</rasd:AllocationUnits><rasd:VirtualQuantity>1024</rasd:VirtualQuantity></Item>"
                       "<Item><rasd:ResourceType>17</rasd:ResourceType><rasd:HostResource>i/v"
                       "</rasd:HostResource><BootOrder>1</BootOrder></Item>"
                       "<Item><rasd:ResourceType>10</rasd:ResourceType><rasd:MACAddress>56:6f:00:00:00:01"
                       "</rasd:MACAddress><rasd:Connection>ovirtmgmt</rasd:Connection></Item>"
                       "</Section></Content>" TAIL,
                        "{\"name\":\"ov\",\"memory\":1073741824,\"disks\":[{\"id\":\"d\",\"controller\":0,"
                        "\"unit\":0,\"boot_order\":1}],\"nics\":[{\"mac\":\"56:6f:00:00:00:01\","
                        "\"network\":\"ovirtmgmt\",\"connected\":true}]}");
}
END_TEST

START_TEST(what_is_no_number_or_address_is_left_out) {
        assert_vm(HEAD "<VirtualSystem ovf:id=\"x\"><VirtualHardwareSection>"
                       "<Item><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>-1"
                       "</rasd:VirtualQuantity><vmw:CoresPerSocket>4</vmw:CoresPerSocket></Item>"
                       "<Item><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>99999999999999"
                       "</rasd:VirtualQuantity></Item>"
                       "<Item><rasd:ResourceType>10</rasd:ResourceType><rasd:Address>ff:ff:ff:ff:ff:ff"
                       "</rasd:Address><rasd:ResourceSubType>/</rasd:ResourceSubType></Item>"
                       "<vmw:Config vmw:key=\"bootOptions.efiSecureBootEnabled\" vmw:value=\"true\"/>"
                       "</VirtualHardwareSection></VirtualSystem>" TAIL,
                        "{\"name\":\"x\",\"disks\":[],\"nics\":[{\"connected\":true}]}");
}
END_TEST

START_TEST(several_machines_are_none) {
        assert_vm(HEAD "<VirtualSystem ovf:id=\"a\"/><VirtualSystem ovf:id=\"b\"/>" TAIL, "");
        assert_vm(HEAD "<VirtualSystemCollection><VirtualSystem ovf:id=\"a\"/></VirtualSystemCollection>" TAIL,
                        "");
        assert_vm(HEAD TAIL, "");
}
END_TEST

START_TEST(more_nics_than_a_machine_can_have_are_left_out) {
        _cleanup_ovf_ OvfDescriptor d = {};
        _cleanup_free_ char *why = NULL, *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        fputs(HEAD "<VirtualSystem><VirtualHardwareSection>", f);
        for (unsigned i = 0; i < 2 * VM_NICS_MAX; i++)
                fputs("<Item><rasd:ResourceType>10</rasd:ResourceType></Item>", f);
        fputs("</VirtualHardwareSection></VirtualSystem>" TAIL, f);
        fclose(f);
        ck_assert_int_eq(ovf_parse(text, size, &d, &why), 0);
        ck_assert_uint_eq(d.vm->n_nics, VM_NICS_MAX);
}
END_TEST

TEST_MAIN("ovf-hardware", vmwares_machine, virtualboxs_machine, ovirts_machine,
                what_is_no_number_or_address_is_left_out, several_machines_are_none,
                more_nics_than_a_machine_can_have_are_left_out)
