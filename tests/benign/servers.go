package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
)

const (
	postgresBin     = "/usr/lib/postgresql/15/bin"
	postgresProgram = postgresBin + "/postgres"
	apacheProgram   = "/usr/sbin/apache2"
	apacheModules   = "/usr/lib/apache2/modules"
)

func postgresql(s *stage) error {
	const as = "postgres"
	bin := func(name string) string { return filepath.Join(postgresBin, name) }
	dir, err := s.folder(as, "database")
	if err != nil {
		return err
	}
	if err := s.run(as, bin("initdb"), "-D", dir, "--auth=trust"); err != nil {
		return err
	}
	connection := []string{"-h", dir, "-p", "5499"}
	for range 2 { // a start and a restart
		server, err := s.start(as, bin("postgres"), "-D", dir, "-k", dir, "-p", "5499", "-c", "listen_addresses=", "-c", "shared_memory_type=sysv")
		if err != nil {
			return err
		}
		ready := func() error { return s.run(as, bin("pg_isready"), append(connection, "-q")...) }
		if err := s.await("PostgreSQL", ready); err != nil {
			return err
		}
		if err := s.run(as, bin("pgbench"), append(connection, "-i", "-q", "postgres")...); err != nil {
			return err
		}
		if err := s.run(as, bin("pgbench"), append(connection, "-c", "4", "-T", "3", "postgres")...); err != nil {
			return err
		}
		if err := server.stop(syscall.SIGINT); err != nil { // a fast shutdown
			return err
		}
	}
	return nil
}

const apacheConfiguration = `ServerRoot %[1]s
ServerName localhost
Listen %[2]s
Listen %[4]s
PidFile %[1]s/pid
LoadModule mpm_prefork_module %[3]s/mod_mpm_prefork.so
LoadModule authz_core_module %[3]s/mod_authz_core.so
LoadModule status_module %[3]s/mod_status.so
Mutex sysvsem default
User www-data
Group www-data
StartServers 3
ErrorLog /dev/stdout
<Location />
SetHandler server-status
</Location>
`

// apache has its master, which is root, make the semaphores and give them to the user
// whom it serves as. With two addresses its processes take turns by them.
func apache(s *stage) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	second, err := freeAddress()
	if err != nil {
		return err
	}
	text := fmt.Sprintf(apacheConfiguration, s.dir, address, apacheModules, second)
	file, err := s.write("root", "apache.conf", text, 0o644)
	if err != nil {
		return err
	}
	server, err := s.start("root", apacheProgram, "-f", file, "-DFOREGROUND")
	if err != nil {
		return err
	}
	for _, sig := range []os.Signal{syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGWINCH} { // graceful, restart, graceful stop
		for range 50 {
			if err := s.await("Apache", func() error { return get("http://" + address + "/") }); err != nil {
				return err
			}
		}
		if sig == syscall.SIGWINCH {
			return server.stop(sig)
		}
		if err := server.cmd.Process.Signal(sig); err != nil {
			return err
		}
	}
	return nil
}

// client makes a connection for each request, so that all of a server's processes have
// some.
var client = http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

func get(address string) error {
	response, err := client.Get(address)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", address, response.Status)
	}
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// display is one that nobody else has, it is hoped: Xvfb ends if it is taken.
const display = ":1970"

// x11 draws images in memory that client and server share, with the server of the
// same user, or of root as display managers start it.
func x11(server string) func(*stage) error {
	return func(s *stage) error {
		const client = "nobody"
		x, err := s.start(server, "Xvfb", display, "-ac", "-nolisten", "tcp")
		if err != nil {
			return err
		}
		ready := func() error {
			return s.run(client, "x11perf", "-display", display, "-noop", "-repeat", "1", "-time", "1")
		}
		if err := s.await("Xvfb", ready); err != nil {
			return err
		}
		for _, test := range []string{"-shmput500", "-shmget500"} {
			if err := s.run(client, "x11perf", "-display", display, test, "-repeat", "1", "-time", "1"); err != nil {
				return err
			}
		}
		return x.stop(syscall.SIGTERM)
	}
}
