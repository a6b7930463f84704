package main

// Bytes of disks over https: /folder (files of datastores) and /nfc (exports).

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// authorized: a live session's cookie, or the password.
func authorized(r *http.Request) bool {
	if u, p, ok := r.BasicAuth(); ok {
		return u == opt.user && p == opt.password
	}
	key := sessionKey(r)
	return key != "" && sessionAlive(key)
}

// inventoryPath is what dcPath= must say: directories and name of a datacenter, without a leading slash.
func inventoryPath(e mo.Entity) string {
	p := e.Entity().Name
	for parent := e.Entity().Parent; parent != nil; {
		o, ok := simulator.Map.Get(*parent).(mo.Entity)
		if !ok || o.Entity().Parent == nil {
			break
		}
		p = o.Entity().Name + "/" + p
		parent = o.Entity().Parent
	}
	return p
}

func findDatastore(dcPath, name string) *simulator.Datastore {
	for _, e := range simulator.Map.All("Datacenter") {
		if strings.Trim(dcPath, "/") != inventoryPath(e) {
			continue
		}
		for _, ref := range e.(*simulator.Datacenter).Datastore {
			if ds, ok := simulator.Map.Get(ref).(*simulator.Datastore); ok && ds.Name == name {
				return ds
			}
		}
	}
	return nil
}

// lockedBy says whether a running VM writes to the file: the host then does not hand it out.
func lockedBy(file string) bool {
	store.Lock()
	defer store.Unlock()
	for _, d := range store.disks {
		if d.flat == file && d.live == file && vmOf(d.vm).Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn {
			return true
		}
	}
	return false
}

func serveFolder(w http.ResponseWriter, r *http.Request) {
	if !authorized(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "only reading is simulated", http.StatusMethodNotAllowed)
		return
	}
	q := r.URL.Query()
	ds := findDatastore(q.Get("dcPath"), q.Get("dsName"))
	if ds == nil {
		http.NotFound(w, r)
		return
	}
	file := filepath.Join(ds.Info.GetDatastoreInfo().Url, path.Clean("/"+strings.TrimPrefix(r.URL.Path, "/folder")))
	f, err := os.Open(file)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	if lockedBy(file) {
		http.Error(w, "the file is locked", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if ranges := r.Header.Get("Range"); ranges != "" {
		switch opt.folderRanges {
		case "ignore":
			r.Header.Del("Range")
		case "refuse":
			http.Error(w, "", http.StatusRequestedRangeNotSatisfiable)
			return
		case "error":
			http.Error(w, "", http.StatusInternalServerError)
			return
		}
	}
	if opt.folderRanges == "yes" {
		http.ServeContent(w, r, "", st.ModTime(), f)
		return
	}
	// ServeContent would promise ranges.
	http.ServeContent(noRanges{w}, r, "", st.ModTime(), f)
}

type noRanges struct{ http.ResponseWriter }

func (n noRanges) WriteHeader(code int) {
	n.Header().Del("Accept-Ranges")
	n.ResponseWriter.WriteHeader(code)
}

var errLease = errors.New("the lease has ended")

// leaseWriter stops with its lease, and sums up.
type leaseWriter struct {
	w    http.ResponseWriter
	l    *exportLease
	sum  hash.Hash
	sent int64
}

func (x *leaseWriter) Write(p []byte) (int, error) {
	select {
	case <-x.l.dead:
		return 0, errLease
	default:
	}
	n, err := x.w.Write(p)
	x.sum.Write(p[:n])
	x.sent += int64(n)
	return n, err
}

func serveExport(w http.ResponseWriter, r *http.Request) {
	token, name := path.Base(path.Dir(r.URL.Path)), path.Base(r.URL.Path)
	leases.Lock()
	l := leases.byToken[token]
	leases.Unlock()
	if l == nil || !l.is(types.HttpNfcLeaseStateReady) || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	for _, f := range l.files {
		if f.name != name {
			continue
		}
		x := &leaseWriter{w: w, l: l, sum: sha1.New()}
		if l.checksum == "sha256" {
			x.sum = sha256.New()
		}
		if err := sendExport(x, f, r); err != nil {
			cut(w)
			return
		}
		l.mu.Lock()
		f.sent, f.sum = x.sent, hex.EncodeToString(x.sum.Sum(nil))
		l.mu.Unlock()
		return
	}
	http.NotFound(w, r)
}

// sendExport sends a whole file, whatever range was asked for and without a length, as NFC does.
func sendExport(x *leaseWriter, f *exportFile, r *http.Request) error {
	if !f.disk {
		_, err := x.Write(make([]byte, 8192))
		return err
	}
	src, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer src.Close()
	x.w.Header().Set("Content-Type", "application/x-vnd.vmware-streamVmdk")
	x.w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	return writeStreamOptimized(x, src, f.size, opt.vmdkLevel, func(int64) {})
}
