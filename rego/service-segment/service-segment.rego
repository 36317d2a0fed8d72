# METADATA
# title: Large shared segment of a service that needs none
# description: |
#   A part of the system that has no use for System V shared memory, such as the init
#   system, cron, a logger, a login program or a downloader, created a segment of a
#   mebibyte and more that others can access. Malware that lives in such a process,
#   as a preloaded or replaced library, keeps what it has collected there and
#   hands it to its other parts, as Ebury did in OpenSSH (IPCW-023) and rkhunter
#   looks for on disk. Private segments, and programs that users bring, are not reported.
# related_resources:
#   - ref: https://www.welivesecurity.com/wp-content/uploads/2014/03/operation_windigo.pdf
#     description: ESET, Operation Windigo, whose Ebury shared memory like that
#   - ref: https://rkhunter.sourceforge.net/
#     description: Rootkit Hunter, which reports suspicious segments
#   - ref: https://attack.mitre.org/techniques/T1574/006/
#     description: Dynamic linker hijacking
#   - ref: https://attack.mitre.org/techniques/T1559/
#     description: Inter-process communication
# custom:
#   id: IPCW-040
#   severity: high
#   events: [shmget]
#   attack: [T1559, T1574.006]
#   tags: [CWE-506]
#   false_positives:
#     - A plug-in of such a service, a PAM or NSS module say, with a cache in shared memory; suppress it by executable and key.
package ipcwarden.service_segment

import data.ipcwarden.caller
import data.ipcwarden.mode
import data.ipcwarden.number

smallest := 1048576

services := {
	"systemd", "init", "systemd-journald", "systemd-logind", "systemd-networkd", "systemd-resolved", "systemd-udevd",
	"cron", "crond", "atd", "anacron", "dbus-daemon", "dbus-broker", "polkitd", "udevd",
	"rsyslogd", "syslog-ng", "auditd", "chronyd", "ntpd", "dhclient", "dhcpcd", "NetworkManager", "wpa_supplicant",
	"dnsmasq", "named", "agetty", "getty", "login", "su", "sudo", "passwd", "xinetd", "inetd", "curl", "wget",
}

match if {
	input.object.created
	input.object.segsz >= smallest
	not mode.private(input.object.mode)
	caller.name in services
}

evidence["program"] := caller.name

evidence["bytes"] := input.object.segsz

evidence["mode"] := number.octal(input.object.mode)
