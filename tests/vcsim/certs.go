package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// certificates are made at each start: one good one, which ca.pem vouches for, and several that a client must refuse.
type certificates struct {
	sync.Mutex
	byKind  map[string]tls.Certificate
	kind    string // that new connections get
	nfcKind string // the same, those to the second address
}

var certs = &certificates{byKind: map[string]tls.Certificate{}, kind: "good", nfcKind: "nfc"}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	der  []byte
}

func template(name string, from, to time.Time) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: from, NotAfter: to, BasicConstraintsValid: true,
	}
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := template(name, time.Now().Add(-time.Hour), time.Now().Add(24*365*time.Hour))
	t.IsCA, t.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	return &authority{c, key, der}, err
}

func (a *authority) issue(name string, from, to time.Time, dns []string, ips []net.IP) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	t := template(name, from, to)
	t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	t.DNSNames, t.IPAddresses = dns, ips
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	return tls.Certificate{Certificate: [][]byte{der, a.der}, PrivateKey: key}, err
}

func (c *certificates) make(dir string) error {
	ca, err := newAuthority("vcsim CA")
	if err != nil {
		return err
	}
	other, err := newAuthority("Somebody else's CA")
	if err != nil {
		return err
	}
	now, year := time.Now(), 24*365*time.Hour
	dns, ips := []string{"localhost"}, []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP("::1")}
	if name, err := os.Hostname(); err == nil {
		dns = append(dns, name)
	}
	for _, l := range []string{opt.listen, opt.nfcListen} {
		if h, _, err := net.SplitHostPort(l); err == nil {
			if ip := net.ParseIP(h); ip == nil {
				dns = append(dns, h)
			} else {
				ips = append(ips, ip)
			}
		}
	}
	for _, k := range []struct {
		kind     string
		ca       *authority
		from, to time.Time
		dns      []string
		ips      []net.IP
	}{
		{"good", ca, now.Add(-time.Hour), now.Add(year), dns, ips},
		{"nfc", ca, now.Add(-time.Hour), now.Add(year), dns, ips},
		{"expired", ca, now.Add(-2 * year), now.Add(-year), dns, ips},
		{"wrong-host", ca, now.Add(-time.Hour), now.Add(year), []string{"another.example.com"}, nil},
		{"unknown-ca", other, now.Add(-time.Hour), now.Add(year), dns, ips},
	} {
		cert, err := k.ca.issue("vcsim "+k.kind, k.from, k.to, k.dns, k.ips)
		if err != nil {
			return err
		}
		c.byKind[k.kind] = cert
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.der})
	return os.WriteFile(filepath.Join(dir, "ca.pem"), b, 0o644)
}

func (c *certificates) set(kind string, nfc bool) bool {
	c.Lock()
	defer c.Unlock()
	_, ok := c.byKind[kind]
	switch {
	case ok && nfc:
		c.nfcKind = kind
	case ok:
		c.kind = kind
	}
	return ok
}

// config is for a listener; what set() chose holds for connections made later.
func (c *certificates) config(nfc bool) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{c.byKind["good"]},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c.Lock()
			defer c.Unlock()
			kind := c.kind
			if nfc && kind == "good" {
				kind = c.nfcKind
			}
			return &tls.Config{Certificates: []tls.Certificate{c.byKind[kind]}}, nil
		},
	}
}

// thumbprint is the SHA-1 of the certificate, as VMware writes it.
func (c *certificates) thumbprint(kind string) string {
	sum := sha1.Sum(c.byKind[kind].Certificate[0])
	return colons(sum[:])
}

// sha256 is what clients are configured with.
func (c *certificates) sha256(kind string) string {
	sum := sha256.Sum256(c.byKind[kind].Certificate[0])
	return colons(sum[:])
}

func colons(sum []byte) string {
	s := make([]string, len(sum))
	for i, b := range sum {
		s[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(s, ":")
}
