package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// What -inventory may say; everything but names is optional.

type inventory struct {
	Datastores []struct {
		Name       string `json:"name"`
		Datacenter string `json:"datacenter"`
	} `json:"datastores"`
	VMs []*inventoryVM `json:"vms"`
}

type inventoryVM struct {
	Name       string            `json:"name"`
	Directory  string            `json:"directory"` // below the datacenter's VMs: "prod/linux"
	Datacenter string            `json:"datacenter"`
	Datastore  string            `json:"datastore"`
	Dir        string            `json:"dir"` // in the datastore; default: the name
	GuestID    string            `json:"guest_id"`
	Firmware   string            `json:"firmware"` // bios, efi
	SecureBoot bool              `json:"secure_boot"`
	VTPM       bool              `json:"vtpm"`
	CPUs       int32             `json:"cpus"`
	MemoryMB   int64             `json:"memory_mb"`
	Annotation string            `json:"annotation"`
	Power      string            `json:"power"` // on, off
	Tools      string            `json:"tools"` // running, not-running, not-installed
	Hostname   string            `json:"hostname"`
	IP         string            `json:"ip"`
	Tracking   bool              `json:"tracking"`
	Template   bool              `json:"template"`
	Extra      map[string]string `json:"extra_config"`
	Cdrom      string            `json:"cdrom"` // "[datastore] file.iso"
	Disks      []inventoryDisk   `json:"disks"`
	Nics       []inventoryNic    `json:"nics"`
}

type inventoryDisk struct {
	Size       string `json:"size"` // "64M"
	File       string `json:"file"` // raw content
	Controller string `json:"controller"`
	Mode       string `json:"mode"`
	Sharing    string `json:"sharing"`
	RDM        string `json:"rdm"` // physicalMode, virtualMode
	Thick      bool   `json:"thick"`
	Datastore  string `json:"datastore"`
	Name       string `json:"name"` // default: like the VM, with _1 …
}

type inventoryNic struct {
	Type    string `json:"type"`
	Mac     string `json:"mac"`
	Network string `json:"network"`
}

var (
	inventoryVMs = map[string]*inventoryVM{}
	contentOf    = map[string]string{} // datastore path: raw file
)

func parseSize(s string) (int64, error) {
	shift := 0
	if s != "" {
		if k := strings.IndexByte("KMGT", s[len(s)-1]); k >= 0 {
			shift, s = 10*(k+1), s[:len(s)-1]
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n << shift, err
}

func toolsChange(s string) []types.PropertyChange {
	running := map[string]types.VirtualMachineToolsRunningStatus{
		"running":       types.VirtualMachineToolsRunningStatusGuestToolsRunning,
		"not-running":   types.VirtualMachineToolsRunningStatusGuestToolsNotRunning,
		"not-installed": types.VirtualMachineToolsRunningStatusGuestToolsNotRunning,
	}[s]
	status := types.VirtualMachineToolsStatusToolsOk
	switch s {
	case "not-running":
		status = types.VirtualMachineToolsStatusToolsNotRunning
	case "not-installed":
		status = types.VirtualMachineToolsStatusToolsNotInstalled
	}
	return []types.PropertyChange{
		{Name: "guest.toolsRunningStatus", Val: string(running)},
		{Name: "guest.toolsStatus", Val: status},
	}
}

func loadInventory(m *simulator.Model, path string) error {
	var inv inventory
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.DisallowUnknownFields()
		if err := d.Decode(&inv); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for _, e := range simulator.Map.All("VirtualMachine") {
		simulator.Map.Update(e, toolsChange("running"))
	}
	if len(inv.Datastores)+len(inv.VMs) == 0 {
		return nil
	}
	ctx := context.Background()
	vc, err := vim25.NewClient(ctx, m.Service)
	if err != nil {
		return err
	}
	c := &govmomi.Client{Client: vc, SessionManager: session.NewManager(vc)}
	for _, d := range inv.Datastores {
		if err := addDatastore(ctx, c, d.Name, d.Datacenter); err != nil {
			return fmt.Errorf("datastore %q: %w", d.Name, err)
		}
	}
	for _, v := range inv.VMs {
		if err := addVM(ctx, c, v); err != nil {
			return fmt.Errorf("vm %q: %w", v.Name, err)
		}
	}
	return nil
}

// datacenterOf finds one by name or by inventory path; the first one if none is named.
func datacenterOf(ctx context.Context, c *govmomi.Client, name string) (*find.Finder, *object.Datacenter, error) {
	for _, e := range simulator.Map.All("Datacenter") {
		if p := inventoryPath(e); name == "" || name == p || name == e.Entity().Name {
			dc := object.NewDatacenter(c.Client, e.Reference())
			dc.InventoryPath = "/" + p
			f := find.NewFinder(c.Client, false)
			f.SetDatacenter(dc)
			return f, dc, nil
		}
	}
	return nil, nil, fmt.Errorf("no datacenter %q", name)
}

// inside says whether an entity is below another one.
func inside(e mo.Entity, ref types.ManagedObjectReference) bool {
	for p := e.Entity().Parent; p != nil; {
		if *p == ref {
			return true
		}
		o, ok := simulator.Map.Get(*p).(mo.Entity)
		if !ok {
			return false
		}
		p = o.Entity().Parent
	}
	return false
}

func allInside(kind string, dc *object.Datacenter) (r []types.ManagedObjectReference) {
	for _, e := range simulator.Map.All(kind) {
		if inside(e, dc.Reference()) {
			r = append(r, e.Reference())
		}
	}
	sort.Slice(r, func(i, j int) bool { return r[i].Value < r[j].Value })
	return
}

func addDatastore(ctx context.Context, c *govmomi.Client, name, dc string) error {
	_, in, err := datacenterOf(ctx, c, dc)
	if err != nil {
		return err
	}
	dir := filepath.Join(opt.dir, fmt.Sprintf("ds-%d", len(simulator.Map.All("Datastore"))))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, ref := range allInside("HostSystem", in) {
		h := object.NewHostSystem(c.Client, ref)
		s, err := h.ConfigManager().DatastoreSystem(ctx)
		if err != nil {
			return err
		}
		if _, err := s.CreateLocalDatastore(ctx, name, dir); err != nil {
			return err
		}
	}
	return nil
}

func folderOf(ctx context.Context, f *find.Finder, dc *object.Datacenter, path string) (*object.Folder, error) {
	fs, err := dc.Folders(ctx)
	if err != nil {
		return nil, err
	}
	at := fs.VmFolder
	for _, name := range strings.Split(path, "/") {
		if name == "" {
			continue
		}
		next, err := f.Folder(ctx, at.InventoryPath+"/"+name)
		if err != nil {
			if next, err = at.CreateFolder(ctx, name); err != nil {
				return nil, err
			}
			next.InventoryPath = at.InventoryPath + "/" + name
		}
		at = next
	}
	return at, nil
}

func (v *inventoryVM) networks(ctx context.Context, f *find.Finder, devs *object.VirtualDeviceList) error {
	for _, n := range v.Nics {
		if n.Network == "" {
			n.Network = "VM Network"
		}
		if n.Type == "" {
			n.Type = "vmxnet3"
		}
		net, err := f.Network(ctx, n.Network)
		if err != nil {
			return err
		}
		b, err := net.EthernetCardBackingInfo(ctx)
		if err != nil {
			return err
		}
		card, err := devs.CreateEthernetCard(n.Type, b)
		if err != nil {
			return err
		}
		if n.Mac != "" {
			card.(types.BaseVirtualEthernetCard).GetVirtualEthernetCard().MacAddress = n.Mac
		}
		*devs = append(*devs, card)
	}
	return nil
}

// controller finds or adds the one that a disk wants.
func controller(devs *object.VirtualDeviceList, kind string) (types.BaseVirtualController, error) {
	if kind == "" {
		kind = "pvscsi"
	}
	if c, err := devs.FindDiskController(map[string]string{"pvscsi": "pvscsi-1000", "lsilogic": "lsilogic-1000"}[kind]); err == nil && c != nil && kind != "ide" && kind != "nvme" && kind != "sata" {
		if d := c.(types.BaseVirtualDevice); devs.Type(d) == kind {
			return c, nil
		}
	}
	for _, d := range *devs {
		if c, ok := d.(types.BaseVirtualController); ok && devs.Type(d) == kind {
			return c, nil
		}
	}
	var d types.BaseVirtualDevice
	var err error
	switch kind {
	case "ide":
		d, err = devs.CreateIDEController()
	case "nvme":
		d, err = devs.CreateNVMEController()
	case "sata":
		c := &types.VirtualAHCIController{}
		c.Key = devs.NewKey()
		d = c
	default:
		d, err = devs.CreateSCSIController(kind)
	}
	if err != nil {
		return nil, err
	}
	*devs = append(*devs, d)
	return d.(types.BaseVirtualController), nil
}

func (v *inventoryVM) disks(devs *object.VirtualDeviceList) error {
	for i, k := range v.Disks {
		c, err := controller(devs, k.Controller)
		if err != nil {
			return err
		}
		ds, name := k.Datastore, k.Name
		if ds == "" {
			ds = v.Datastore
		}
		if name == "" {
			name = v.Name
			if i > 0 {
				name += fmt.Sprintf("_%d", i)
			}
			name += ".vmdk"
		}
		path := fmt.Sprintf("[%s] %s/%s", ds, v.Dir, name)
		size := int64(64 << 20)
		if k.Size != "" {
			if size, err = parseSize(k.Size); err != nil {
				return err
			}
		} else if st, err := os.Stat(k.File); err == nil {
			size = (st.Size() + sector - 1) / sector * sector
		}
		d := devs.CreateDisk(c, types.ManagedObjectReference{}, path)
		d.CapacityInKB, d.CapacityInBytes = (size+1023)/1024, size
		b := d.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		b.Datastore = nil
		b.ThinProvisioned = types.NewBool(!k.Thick)
		b.Uuid = "6000C29" + fmt.Sprintf("%x-%04x-%04x-%04x-%012x", i, len(v.Name), i, size&0xffff, size)
		if k.Mode != "" {
			b.DiskMode = k.Mode
		}
		b.Sharing = k.Sharing
		contentOf[path] = k.File
		*devs = append(*devs, d)
	}
	return nil
}

func addVM(ctx context.Context, c *govmomi.Client, v *inventoryVM) error {
	if v.Name == "" {
		return errors.New("has no name")
	}
	f, dc, err := datacenterOf(ctx, c, v.Datacenter)
	if err != nil {
		return err
	}
	if v.Datastore == "" {
		ds := allInside("Datastore", dc)
		if len(ds) == 0 {
			return errors.New("the datacenter has no datastore")
		}
		v.Datastore = simulator.Map.Get(ds[0]).(*simulator.Datastore).Name
	}
	if v.Dir == "" {
		v.Dir = v.Name
	}
	directory, err := folderOf(ctx, f, dc, v.Directory)
	if err != nil {
		return err
	}
	pools := allInside("ResourcePool", dc)
	if len(pools) == 0 {
		return errors.New("the datacenter has no resource pool")
	}
	var devs object.VirtualDeviceList
	if err := v.disks(&devs); err != nil {
		return err
	}
	if v.Cdrom != "" {
		ide, err := devs.CreateIDEController()
		if err != nil {
			return err
		}
		devs = append(devs, ide)
		cd, err := devs.CreateCdrom(ide.(*types.VirtualIDEController))
		if err != nil {
			return err
		}
		devs = append(devs, devs.InsertIso(cd, v.Cdrom))
	}
	if err := v.networks(ctx, f, &devs); err != nil {
		return err
	}
	if v.VTPM {
		t := &types.VirtualTPM{}
		t.Key = devs.NewKey()
		devs = append(devs, t)
	}
	changes, err := devs.ConfigSpec(types.VirtualDeviceConfigSpecOperationAdd)
	if err != nil {
		return err
	}
	spec := types.VirtualMachineConfigSpec{
		Name: v.Name, GuestId: v.GuestID, Firmware: v.Firmware, NumCPUs: v.CPUs, MemoryMB: v.MemoryMB, Annotation: v.Annotation,
		Files:        &types.VirtualMachineFileInfo{VmPathName: fmt.Sprintf("[%s] %s/%s.vmx", v.Datastore, v.Dir, v.Name)},
		DeviceChange: changes,
		BootOptions:  &types.VirtualMachineBootOptions{EfiSecureBootEnabled: types.NewBool(v.SecureBoot)},
	}
	if spec.NumCPUs == 0 {
		spec.NumCPUs = 1
	}
	if spec.MemoryMB == 0 {
		spec.MemoryMB = 1024
	}
	if spec.GuestId == "" {
		spec.GuestId = "otherGuest64"
	}
	if spec.Firmware == "" {
		spec.Firmware = "bios"
	}
	for k, val := range v.Extra {
		spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: k, Value: val})
	}
	t, err := directory.CreateVM(ctx, spec, object.NewResourcePool(c.Client, pools[0]), nil)
	if err != nil {
		return err
	}
	info, err := t.WaitForResult(ctx, nil)
	if err != nil {
		return err
	}
	vm := simulator.Map.Get(info.Result.(types.ManagedObjectReference)).(*simulator.VirtualMachine)
	inventoryVMs[v.Name] = v
	v.finish(vm)
	return nil
}

// finish sets what CreateVM_Task does not.
func (v *inventoryVM) finish(vm *simulator.VirtualMachine) {
	if v.Tools == "" {
		v.Tools = "running"
	}
	ch := toolsChange(v.Tools)
	set := func(name string, val interface{}) { ch = append(ch, types.PropertyChange{Name: name, Val: val}) }
	if v.IP != "" {
		set("guest.ipAddress", v.IP)
		set("summary.guest.ipAddress", v.IP)
	}
	if v.Hostname != "" {
		set("guest.hostName", v.Hostname)
	}
	vm.Config.ChangeTrackingEnabled = types.NewBool(v.Tracking)
	vm.Capability.ChangeTrackingSupported = types.NewBool(true)
	vm.Config.BootOptions = &types.VirtualMachineBootOptions{EfiSecureBootEnabled: types.NewBool(v.SecureBoot)}
	if v.Template {
		set("config.template", true)
		set("summary.config.template", true)
	}
	v.mapDevices(vm)
	state := types.VirtualMachinePowerStatePoweredOff
	if v.Power == "on" {
		state = types.VirtualMachinePowerStatePoweredOn
		set("summary.runtime.bootTime", time.Now())
	}
	set("runtime.powerState", state)
	set("summary.runtime.powerState", state)
	simulator.Map.Update(vm, ch)
}

// mapDevices makes raw device mappings of disks that are to be some. (Only now: the simulator's own code takes the
// backing of every disk for a flat file.)
func (v *inventoryVM) mapDevices(vm *simulator.VirtualMachine) {
	n := 0
	for _, dev := range vm.Config.Hardware.Device {
		d, ok := dev.(*types.VirtualDisk)
		if !ok || n >= len(v.Disks) {
			continue
		}
		if mode := v.Disks[n].RDM; mode != "" {
			b := d.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
			d.Backing = &types.VirtualDiskRawDiskMappingVer1BackingInfo{
				VirtualDeviceFileBackingInfo: b.VirtualDeviceFileBackingInfo,
				LunUuid:                      "0200000000600508b400105e210000900000490000",
				DeviceName:                   "vml.0200000000600508b400105e21",
				CompatibilityMode:            mode, DiskMode: "independent_persistent", Uuid: b.Uuid,
			}
		}
		n++
	}
}
