package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// fault is a rule that tests add: what goes wrong with which requests.
type fault struct {
	On      string `json:"on"`       // "sdk", "folder", "nfc"; empty: any
	Method  string `json:"method"`   // of sdk
	Path    string `json:"path"`     // part of the URL's path or query
	Reads   string `json:"reads"`    // of sdk: the only property that is read
	Agent   string `json:"agent"`    // part of the client's User-Agent: the ID of a job
	VM      string `json:"vm"`       // start
	Kind    string `json:"kind"`     // http, soap, task, session, delay, late, start; of bodies: reset, truncate, stall, slow, corrupt
	Status  int    `json:"status"`   // http
	Fault   string `json:"fault"`    // soap, task: "NoPermission"
	Message string `json:"message"`  // soap, task, http
	At      int64  `json:"at"`       // bodies: after so many bytes
	Rate    int64  `json:"rate"`     // slow: bytes in a second
	DelayMS int64  `json:"delay_ms"` // delay, late, stall
	Skip    int    `json:"skip"`     // so many requests are let through first
	Count   int    `json:"count"`    // then so many fail; 0: all
	Hits    int    `json:"hits"`     // so many requests matched

	removed chan struct{} // closed when it is removed: what it holds up goes on
}

type faultList struct {
	sync.Mutex
	rules []*fault
}

var faults faultList

var kinds = map[string]bool{
	"http": true, "soap": true, "task": true, "session": true, "delay": true,
	"late": true, "start": true, "reset": true, "truncate": true, "stall": true, "slow": true, "corrupt": true,
}

func (f *faultList) add(rule *fault) error {
	if !kinds[rule.Kind] {
		return errors.New("unknown kind")
	}
	if (rule.Kind == "soap" || rule.Kind == "task") && newFault(rule.Fault) == nil {
		return errors.New("unknown fault")
	}
	f.Lock()
	defer f.Unlock()
	rule.removed = make(chan struct{})
	f.rules = append(f.rules, rule)
	return nil
}

func (f *faultList) list() (rules []fault) {
	f.Lock()
	defer f.Unlock()
	for _, x := range f.rules {
		rules = append(rules, *x)
	}
	return
}

// clear removes the rules for an agent, or all of them.
func (f *faultList) clear(agent string) {
	f.Lock()
	defer f.Unlock()
	var rest []*fault
	for _, x := range f.rules {
		if agent == "" || x.Agent == agent {
			close(x.removed)
		} else {
			rest = append(rest, x)
		}
	}
	f.rules = rest
}

// find is the first rule for a request.
func (f *faultList) find(r *http.Request, on string, c *call) *fault {
	f.Lock()
	defer f.Unlock()
	for _, x := range f.rules {
		if x.On != "" && x.On != on || x.Method != "" && (c == nil || c.method != x.Method) ||
			!strings.Contains(r.URL.Path+"?"+r.URL.RawQuery, x.Path) || x.Reads != "" && !c.reads(x.Reads) ||
			!strings.Contains(r.UserAgent(), x.Agent) {
			continue
		}
		x.Hits++
		if x.Hits <= x.Skip || x.Count > 0 && x.Hits > x.Skip+x.Count {
			continue
		}
		copy := *x
		return &copy
	}
	return nil
}

// reads says whether a call reads one property, and which.
func (c *call) reads(property string) bool {
	return c != nil && bytes.Contains(c.body, []byte(">"+property+"</")) && bytes.Count(c.body, []byte("</pathSet>")) == 1
}

// apply does what is to be done before the answer; true: that was it.
func (f *faultList) apply(w http.ResponseWriter, r *http.Request, on string, c *call) (http.ResponseWriter, bool) {
	x := f.find(r, on, c)
	if x == nil {
		return w, false
	}
	switch x.Kind {
	case "http":
		status := x.Status
		if status == 0 {
			status = http.StatusServiceUnavailable
		}
		http.Error(w, x.Message, status)
		return w, true
	case "soap":
		soapFault(w, x.Fault, x.Message, "")
		return w, true
	case "task":
		if c == nil {
			return w, false
		}
		failTask(w, c, x.Fault, x.Message)
		return w, true
	case "delay":
		x.wait(r, time.Duration(x.DelayMS)*time.Millisecond)
		return w, false
	case "late":
		if c != nil {
			c.late = true
			expectLate(sessionKey(r), 1)
		}
		time.Sleep(time.Duration(x.DelayMS) * time.Millisecond)
		return w, false
	case "start":
		if vm := findVM(x.VM); vm != nil {
			powerOn(vm)
		}
		return w, false
	case "session":
		if x.At == 0 {
			endSession("")
			return w, false
		}
	}
	return &faultyWriter{ResponseWriter: w, r: r, x: x}, false
}

func (x *fault) wait(r *http.Request, d time.Duration) {
	select {
	case <-r.Context().Done():
	case <-x.removed:
	case <-time.After(d):
	}
}

// cut breaks the connection with a RST.
func cut(w http.ResponseWriter) {
	for {
		f, ok := w.(*faultyWriter)
		if !ok {
			break
		}
		if f.gone {
			return
		}
		w = f.ResponseWriter
	}
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
		time.Sleep(100 * time.Millisecond) // what is still on its way would be lost
	}
	conn, _, err := h.Hijack()
	if err != nil {
		return
	}
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = conn.Close()
}

var errFault = errors.New("a fault was asked for")

// faultyWriter is a body that something happens to.
type faultyWriter struct {
	http.ResponseWriter
	r    *http.Request
	x    *fault
	n    int64
	done bool
	gone bool // the connection is cut
}

func (f *faultyWriter) Write(p []byte) (n int, err error) {
	if f.done {
		return 0, errFault
	}
	if f.x.Kind == "slow" && f.x.Rate > 0 {
		return f.writeSlowly(p)
	}
	at := f.x.At - f.n
	if f.n > f.x.At || at >= int64(len(p)) {
		n, err = f.ResponseWriter.Write(p)
		f.n += int64(n)
		return
	}
	if f.x.Kind == "corrupt" {
		p = append([]byte(nil), p...)
		p[at] ^= 0xff
		n, err = f.ResponseWriter.Write(p)
		f.n += int64(n)
		return
	}
	n, err = f.ResponseWriter.Write(p[:at])
	f.n += int64(n)
	if err != nil {
		return
	}
	switch f.x.Kind {
	case "stall":
		if fl, ok := f.ResponseWriter.(http.Flusher); ok {
			fl.Flush()
		}
		f.x.wait(f.r, time.Duration(f.x.DelayMS)*time.Millisecond)
		m, err := f.ResponseWriter.Write(p[at:])
		f.n += int64(m) + 1 // once
		return n + m, err
	case "session":
		endSession("")
		endAllLeases()
		fallthrough
	case "reset":
		f.done, f.gone = true, true
		cut(f.ResponseWriter)
	case "truncate":
		f.done = true
	}
	return n, errFault
}

func (f *faultyWriter) writeSlowly(p []byte) (n int, err error) {
	for len(p) > 0 {
		k := int64(len(p))
		if max := f.x.Rate/20 + 1; k > max {
			k = max
		}
		m, err := f.ResponseWriter.Write(p[:k])
		n += m
		if err != nil {
			return n, err
		}
		if fl, ok := f.ResponseWriter.(http.Flusher); ok {
			fl.Flush()
		}
		p = p[k:]
		f.x.wait(f.r, time.Duration(k)*time.Second/time.Duration(f.x.Rate))
		if f.r.Context().Err() != nil {
			return n, f.r.Context().Err()
		}
	}
	return
}
