package sink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// TLS is the settings of a connection that is encrypted.
type TLS struct {
	CA          string `yaml:"ca" example:"/etc/ipcwarden/ca.pem" doc:"file with the certificates, in PEM, of which one must have signed that of the receiver; those of the system without it"`
	Certificate string `yaml:"certificate" example:"/etc/ipcwarden/client.pem" doc:"file with the certificate to show to the receiver, in PEM; read for every connection, so that it can be renewed"`
	Key         string `yaml:"key" example:"/etc/ipcwarden/client.key" doc:"file with the key of the certificate, in PEM"`
	ServerName  string `yaml:"server_name" doc:"name that the receiver's certificate must have; that in its address without it"`
}

func (t *TLS) check() error {
	if (t.Certificate == "") != (t.Key == "") {
		return setting.Under("certificate", errors.New("certificate and key belong together"))
	}
	return nil
}

// config reads the certificates. asked, if not nil, is called when a receiver asks for
// the client's, whether there is one or not.
func (t *TLS) config(asked func()) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, setting.Under("ca", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, setting.Under("ca", fmt.Errorf("%s has no certificate in PEM", t.CA))
		}
	}
	if t.Certificate != "" {
		if _, err := tls.LoadX509KeyPair(t.Certificate, t.Key); err != nil {
			return nil, setting.Under("certificate", err)
		}
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if asked != nil {
			asked()
		}
		if t.Certificate == "" {
			return &tls.Certificate{}, nil // which is none
		}
		certificate, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read the client certificate: %w", err)
		}
		return &certificate, nil
	}
	return config, nil
}
