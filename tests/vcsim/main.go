// vcsim: a vCenter Server or ESXi host for tests.
//
// The inventory, sessions, tasks, property collector, power operations and snapshots are those of govmomi's
// simulator (Debian: golang-github-vmware-govmomi-dev 0.24). What that lacks and a migration needs is added here:
// disks with content, export leases, changed block tracking, /folder as real servers do it, faults on demand.
// README.md says which is which.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

var opt struct {
	listen, nfcListen, control         string
	user, password                     string
	esx, starNfc                       bool
	version, apiVersion                string
	datacenters, clusters, directories int
	hosts, clusterHosts, vms           int
	inventory, dir, record             string
	plain                              bool
	diskSize                           int64
	plainCookie, untypedArrays         bool
	maxSessions, pageSize              int
	sessionTimeout                     time.Duration
	leaseTimeout, leaseInit            time.Duration
	leaseInfinite, singleLease         bool
	nfcManifest                        bool
	folderRanges                       string
	vmdkLevel                          int
	cbtMaxAreas                        int
	taskTime, shutdownTime             time.Duration
}

func parseFlags() {
	f := flag.CommandLine
	f.StringVar(&opt.listen, "listen", "127.0.0.1:8989", "address of the API: /sdk, /folder (https)")
	f.StringVar(&opt.nfcListen, "nfc-listen", "", "a second address for /nfc, as the ESXi host that vCenter sends exports to")
	f.StringVar(&opt.control, "control", "127.0.0.1:8990", "address for tests: disks, faults, sessions (plain http)")
	f.StringVar(&opt.user, "user", "administrator@vsphere.local", "user")
	f.StringVar(&opt.password, "password", "secret", "password")
	f.BoolVar(&opt.esx, "esx", false, "an ESXi host instead of a vCenter")
	f.BoolVar(&opt.starNfc, "star-nfc", false, `write "*" for the host in export URLs, as ESXi does (always with -esx)`)
	f.StringVar(&opt.version, "version", "", `about.version ("7.0.3")`)
	f.StringVar(&opt.apiVersion, "api-version", "", `about.apiVersion ("7.0.3.0")`)
	f.IntVar(&opt.datacenters, "dc", 1, "datacenters")
	f.IntVar(&opt.clusters, "cluster", 1, "clusters in each datacenter")
	f.IntVar(&opt.directories, "directories", 0, "datacenters that are in a directory, with directories inside")
	f.IntVar(&opt.hosts, "standalone-host", 1, "hosts outside of clusters, in each datacenter")
	f.IntVar(&opt.clusterHosts, "host", 3, "hosts in each cluster")
	f.IntVar(&opt.vms, "vm", 2, "VMs in each resource pool, besides those of -inventory")
	f.StringVar(&opt.inventory, "inventory", "", "JSON file with datastores and VMs (README.md)")
	f.StringVar(&opt.dir, "dir", "", "directory for ca.pem and the datastores (default: a temporary one)")
	f.Int64Var(&opt.diskSize, "disk-size", 16<<20, "size of the disks of the VMs of -vm; 0: the simulator's 10 GB, empty")
	f.BoolVar(&opt.plain, "plain", false, "only govmomi's simulator, without anything of ours but the certificate")
	f.StringVar(&opt.record, "record", "", "directory that gets the longest answer to each method, METHOD.xml, for the corpus of fuzzers")
	f.BoolVar(&opt.plainCookie, "plain-cookie", false, "session cookie without quotes and Secure (real servers have both)")
	f.BoolVar(&opt.untypedArrays, "untyped-arrays", false, "leave xsi:type out of array items (real servers have it)")
	f.IntVar(&opt.pageSize, "page-size", 100, "most objects in one answer of RetrievePropertiesEx; then comes a token")
	f.IntVar(&opt.maxSessions, "max-sessions", 0, "more logins get HTTP 503; 0: no limit")
	f.DurationVar(&opt.sessionTimeout, "session-timeout", 30*time.Minute, "idle sessions end")
	f.DurationVar(&opt.leaseTimeout, "lease-timeout", 5*time.Minute, "export leases without HttpNfcLeaseProgress fail")
	f.DurationVar(&opt.leaseInit, "lease-init", 300*time.Millisecond, `how long leases are "initializing"`)
	f.BoolVar(&opt.leaseInfinite, "lease-infinite", false, "leases never fail for want of progress")
	f.BoolVar(&opt.singleLease, "single-lease", false, "a second export of a VM gets TaskInProgress while the first lasts")
	f.BoolVar(&opt.nfcManifest, "nfc-manifest", true, "HttpNfcLeaseGetManifest knows SHA-1 (or, if set, SHA-256) of what was sent")
	f.StringVar(&opt.folderRanges, "folder-ranges", "yes", "ranges on /folder: yes, ignore (200 and everything), refuse (416), or error (500)")
	f.IntVar(&opt.vmdkLevel, "vmdk-level", 1, "zlib level of exported disks")
	f.IntVar(&opt.cbtMaxAreas, "cbt-max-areas", 512, "areas in one answer of QueryChangedDiskAreas; clients must ask again")
	f.DurationVar(&opt.taskTime, "task-time", 200*time.Millisecond, "how long tasks run, as clients see it")
	f.DurationVar(&opt.shutdownTime, "shutdown-time", 500*time.Millisecond, "how long a guest takes to shut down")
	f.BoolVar(&simulator.Trace, "trace", false, "SOAP messages on standard error")
	f.Parse(os.Args[1:])
	if f.NArg() > 0 {
		log.Fatalf("what is %q?", f.Arg(0))
	}
	switch opt.folderRanges {
	case "yes", "ignore", "refuse", "error":
	default:
		log.Fatalf("unknown value of -folder-ranges: %s", opt.folderRanges)
	}
}

func newModel() *simulator.Model {
	m := simulator.VPX()
	if opt.esx {
		m = simulator.ESX()
		opt.starNfc = true
	} else {
		m.Datacenter, m.Cluster, m.Folder = opt.datacenters, opt.clusters, opt.directories
		m.Host, m.ClusterHost = opt.hosts, opt.clusterHosts
	}
	m.Machine = opt.vms
	if opt.version != "" {
		m.ServiceContent.About.Version = opt.version
	}
	if opt.apiVersion != "" {
		m.ServiceContent.About.ApiVersion = opt.apiVersion
	}
	return m
}

// mountDatastores gives each datastore a mount on each host, as real servers do (libvirt's driver needs it).
func mountDatastores() {
	for _, e := range simulator.Map.All("Datastore") {
		d := e.(*simulator.Datastore)
		d.Host = nil
		for _, h := range simulator.Map.All("HostSystem") {
			d.Host = append(d.Host, types.DatastoreHostMount{
				Key: h.Reference(),
				MountInfo: types.HostMountInfo{
					Path:       "/vmfs/volumes/" + d.Name,
					AccessMode: string(types.HostMountModeReadWrite),
					Mounted:    types.NewBool(true),
					Accessible: types.NewBool(true),
				},
			})
		}
	}
}

func serveControl() {
	l, err := net.Listen("tcp", opt.control)
	if err != nil {
		log.Fatal(err)
	}
	opt.control = l.Addr().String()
	go func() { log.Fatal(http.Serve(l, controlHandler())) }()
}

// serveNfc is the second address: the same leases, behind a certificate of its own.
func serveNfc() {
	if opt.nfcListen == "" {
		return
	}
	l, err := tls.Listen("tcp", opt.nfcListen, certs.config(true))
	if err != nil {
		log.Fatal(err)
	}
	opt.nfcListen = l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("/nfc/", serveExport)
	s := &http.Server{Handler: wrap(mux), ErrorLog: log.New(os.Stderr, "nfc: ", 0)}
	go func() { log.Fatal(s.Serve(l)) }()
}

func main() {
	parseFlags()
	if opt.dir == "" {
		d, err := os.MkdirTemp("", "vcsim-")
		if err != nil {
			log.Fatal(err)
		}
		opt.dir = d
		defer os.RemoveAll(d)
	}
	if err := os.MkdirAll(opt.dir, 0o700); err != nil {
		log.Fatal(err)
	}
	// The simulator makes its datastores where TMPDIR says.
	os.Setenv("TMPDIR", opt.dir)
	if err := certs.make(opt.dir); err != nil {
		log.Fatal(err)
	}

	m := newModel()
	if err := m.Create(); err != nil {
		log.Fatal(err)
	}
	if !opt.plain {
		if err := loadInventory(m, opt.inventory); err != nil {
			log.Fatal(err)
		}
		mountDatastores()
		if err := adoptDisks(); err != nil {
			log.Fatal(err)
		}
		addMethods()
	}

	m.Service.TLS = certs.config(false)
	m.Service.RegisterEndpoints = true
	m.Service.Listen = &url.URL{Host: opt.listen, User: url.UserPassword(opt.user, opt.password)}
	s := m.Service.NewServer()
	opt.listen = s.URL.Host
	if !opt.plain {
		s.Config.Handler = wrap(s.Config.Handler)
	}
	if opt.record != "" {
		s.Config.Handler = recorder(s.Config.Handler)
	}
	serveNfc()
	serveControl()

	u := *s.URL
	u.User = nil
	fmt.Printf("URL=%s CONTROL=http://%s CA=%s THUMBPRINT=%s SHA1=%s PID=%d\n", u.String(), opt.control,
		filepath.Join(opt.dir, "ca.pem"), certs.sha256("good"), certs.thumbprint("good"), os.Getpid())

	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	<-c
	m.Remove()
}
