package regosig

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// header is the METADATA of a native signature without anything optional.
func header(id string) string {
	return "# METADATA\n# title: A title\n# custom:\n#   id: " + id + "\n#   severity: low\n#   events: [msgsnd]\n"
}

// tree is a source with one file per pair of name and text.
func tree(files ...string) Source {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return Source{Name: "dir", FS: fsys}
}

// problemsOf loads a source that must not load, and returns the lines.
func problemsOf(t *testing.T, sources ...Source) []string {
	t.Helper()
	set, err := Load(sources...)
	var loadError *LoadError
	if !errors.As(err, &loadError) || set != nil {
		t.Fatalf("got %v and error %v, want a LoadError alone", set, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(loadError.Problems) {
		t.Errorf("%d lines for %d problems", len(lines), len(loadError.Problems))
	}
	return lines
}

func TestLoadErrors(t *testing.T) {
	const traceeMeta = "__rego_metadoc__ := {\"id\": \"T\", \"name\": \"n\", \"properties\": {\"Severity\": 1}}\n"
	const traceeEvents = "tracee_selected_events[s] { s := {\"source\": \"tracee\", \"name\": \"shmat\"} }\n"
	tests := []struct {
		name, text, want string
	}{
		{"parse", header("A") + "package a\nmatch if {", "dir/a.rego:8:10: unexpected eof token: match if {"},
		{"empty file", "", "dir/a.rego: empty module"},
		{"v0 outside of tracee", "package a\nmatch { input.via == \"ipc\" }", "dir/a.rego: this is Rego v0, which is only read in package tracee.*\ndir/a.rego:2:1: `if` keyword is required before rule body"},
		{"unsafe variable", header("A") + "package a\nmatch if x == 1", "dir/a.rego:8:10: var x is unsafe"},
		{"unknown function", header("A") + "package a\nmatch if nope(1)", "dir/a.rego:8:10: undefined function nope"},
		{"recursion", header("A") + "package a\nmatch if b\nb if match", "dir/a.rego:8:1: rule data.a.match is recursive: data.a.match -> data.a.b -> data.a.match\ndir/a.rego:9:1: rule data.a.b is recursive: data.a.b -> data.a.match -> data.a.b"},
		{"network", header("A") + "package a\nmatch if http.send({})", "dir/a.rego:8:10: built-in http.send is refused: signatures have no access to the network"},
		{"name service", header("A") + "package a\nmatch if count(net.lookup_ip_addr(\"x\")) > 0", "dir/a.rego:8:16: built-in net.lookup_ip_addr is refused: signatures have no access to the network"},
		{"environment", header("A") + "package a\nmatch if opa.runtime().env.X", "dir/a.rego:8:10: built-in opa.runtime is refused: signatures have no access to the environment"},
		{"schema files", header("A") + "package a\nmatch if json.verify_schema({\"$ref\": \"file:///etc/x\"})[0]", "dir/a.rego:8:10: built-in json.verify_schema is refused: a schema can name addresses and files, and signatures have access to neither"},
		{"misspelt field", header("A") + "package a\nmatch if input.proces == \"x\"", "dir/a.rego:8:10: undefined ref: input.proces: input has no field proces; the nearest is processId"},
		{"misspelt argument", header("A") + "package a\nmatch if input.arg.msgflag == 1", "dir/a.rego:8:10: undefined ref: input.arg.msgflag: input.arg has no field msgflag; the nearest is msgflg"},
		{"field of another type", header("A") + "package a\nmatch if input.object.mode == \"0666\"", "dir/a.rego:8:10: match error: a number is never equal to a string"},
		{"text greater than a number", header("A") + "package a\nmatch if input.arg.msgsz > \"4096\"", `dir/a.rego:8:10: input.arg.msgsz is a number, and "4096" is a string: to compare them says nothing of the event`},
		{"variable of another type", header("A") + "package a\nmatch if {\n\tsize := input.arg.msgsz\n\t\"x\" != size\n}", `dir/a.rego:10:2: "x" is a string, and size is a number: to compare them says nothing of the event`},
		{"call of another type", header("A") + "package a\nmatch if count(input.flags) >= \"2\"", `dir/a.rego:8:10: count(input.flags) is a number, and "2" is a string: to compare them says nothing of the event`},
		{"rule of another type", header("A") + "package a\nlimit := 7\nmatch if input.processName < limit", `dir/a.rego:9:10: input.processName is a string, and limit is a number: to compare them says nothing of the event`},
		{"element of another type", header("A") + "package a\nmatch if 2048 in input.flags", "dir/a.rego:8:10: match error: a number is never equal to a string"},
		{"one of another type", header("A") + "package a\nmatch if input.arg.msgsz in {\"2\", \"3\"}", "dir/a.rego:8:10: match error: a number is never equal to a string"},
		{"argument of another type", header("A") + "package a\nmatch if startswith(input.arg.msgsz, \"1\")", `dir/a.rego:8:10: startswith: invalid argument(s): have: (number, string), want: (search: string, base: string, result: boolean)`},
		{"unknown event", header("A") + "package a\nmatch if input.eventName == \"msgsdn\"", `dir/a.rego:8:10: there is no event "msgsdn"; the nearest is msgsnd`},
		{"unknown flag", header("A") + "package a\nmatch if \"MSG_COPI\" in input.flags", `dir/a.rego:8:10: there is no flag "MSG_COPI"; the nearest is MSG_COPY`},
		{"unknown flag of a loop", header("A") + "package a\nmatch if {\n\tsome f in input.flags\n\tf == \"IPC_NOWAI\"\n}", `dir/a.rego:10:2: there is no flag "IPC_NOWAI"; the nearest is IPC_NOWAIT`},
		{"unknown errors", header("A") + "package a\nmatch if not input.error in {\"EPERM\", \"EACCESS\"}", `dir/a.rego:8:10: there is no error "EACCESS"; the nearest is EACCES`},
		{"unknown kind and entry", header("A") + "package a\nmatch if {\n\tinput.object.kind != \"shn\"\n\tinput.via in [\"ipcs\"]\n}", "dir/a.rego:9:2: there is no kind of object \"shn\"; the nearest is shm\ndir/a.rego:10:2: there is no entry \"ipcs\"; the nearest is ipc"},
		{"argument of another event", header("A") + "package a\nmatch if input.arg.shmid == 1", "dir/a.rego:8:10: undefined ref: input.arg.shmid: input.arg of the selected events has no field shmid; the nearest is msqid"},
		{"field of another kind of object", header("A") + "package a\nmatch if input.object.segsz > 1", "dir/a.rego:8:10: undefined ref: input.object.segsz: input.object of the selected events has no field segsz; the nearest is key"},
		{"flag of another event", header("A") + "package a\nmatch if \"SHM_EXEC\" in input.flags", `dir/a.rego:8:10: the selected events do not have flag "SHM_EXEC"; the nearest is IPC_NOWAIT`},
		{"command of another event", header("A") + "package a\nmatch if input.command == \"SETALL\"", `dir/a.rego:8:10: the selected events do not have command "SETALL"`},
		{"event that is not selected", header("A") + "package a\nmatch if input.eventName == \"shmat\"", `dir/a.rego:8:10: the signature does not select event "shmat"; the nearest is msgsnd`},
		{"misspelt field in brackets", header("A") + "package a\nmatch if input[\"object\"][\"mod\"] == 1", "dir/a.rego:8:10: undefined ref: input.object.mod: input.object has no field mod; the nearest is mode"},
		{"misspelt field of an element", header("A") + "package a\nmatch if {\n\tsome r in input.memory\n\tr.lenght > 1\n}", "dir/a.rego:10:2: undefined ref: r.lenght: r has no field lenght; the nearest is length"},
		{"undefined reference", header("A") + "package a\nimport data.ipcwarden.cal\nmatch if cal.succeeded", "dir/a.rego:9:10: data.ipcwarden.cal.succeeded is not defined in any file; the nearest to cal is call"},
		{"misspelt helper", header("A") + "package a\nimport data.ipcwarden.flags\nmatch if flags.has_al({\"IPC_NOWAIT\"})", "dir/a.rego:9:10: undefined function data.ipcwarden.flags.has_al; the nearest to has_al is has_all"},
		{"unknown flag of a helper", header("A") + "package a\nimport data.ipcwarden.flags\nmatch if not flags.has_any([\"IPC_NOWAIT\", \"IPC_NOWAT\"])", `dir/a.rego:9:43: there is no flag "IPC_NOWAT"; the nearest is IPC_NOWAIT`},
		{"word that is no flag", header("A") + "package a\nimport data.ipcwarden.flags\nmatch if flags.has_all({\"EAGAIN\"})", `dir/a.rego:9:25: there is no flag "EAGAIN"; the nearest is SHM_RND`},
		{"unknown outcome", header("A") + "package a\nimport data.ipcwarden.call\nmatch if call.outcome == \"EAGIN\"", `dir/a.rego:9:10: there is no outcome "EAGIN"; the nearest is EAGAIN`},
		{"unknown errors in a variable", header("A") + "package a\nmatch if {\n\tnames := {\"EPERM\", \"EAGIN\"}\n\tinput.error in names\n}", `dir/a.rego:9:21: there is no error "EAGIN"; the nearest is EAGAIN`},
		{"unknown errors in a loop", header("A") + "package a\nmatch if {\n\tsome name in [\"EAGIN\"]\n\tinput.error == name\n}", `dir/a.rego:9:16: there is no error "EAGIN"; the nearest is EAGAIN`},
		{"unknown flags in every", header("A") + "package a\nmatch if {\n\tevery name in {\"IPC_NOWAT\"} {\n\t\tname in input.flags\n\t}\n}", `dir/a.rego:9:17: there is no flag "IPC_NOWAT"; the nearest is IPC_NOWAIT`},
		{"unknown errors in rules", header("A") + "package a\nmatch if input.error in errors\nmatch if input.error == more[_]\nmatch if input.error == other\nerrors := {\"EAGIN\"}\nmore contains \"EPREM\"\nother := \"EINVAL\" if input.sleeps > 1 else := \"EINVALL\"", "dir/a.rego:11:12: there is no error \"EAGIN\"; the nearest is EAGAIN\ndir/a.rego:12:15: there is no error \"EPREM\"; the nearest is EPERM\ndir/a.rego:13:47: there is no error \"EINVALL\"; the nearest is EINVAL"},
		{"misspelt built-in", header("A") + "package a\nmatch if startwith(input.processName, \"a\")", "dir/a.rego:8:10: undefined function startwith; the nearest is startswith"},
		{"misspelt name of an argument", header("A") + "package a\nmatch if {\n\tsome a in input.args\n\ta.name == \"msgsiz\"\n}", `dir/a.rego:10:2: there is no argument "msgsiz"; the nearest is msgsz`},
		{"argument of another event by name", header("A") + "package a\nmatch if input.args[_].name == \"shmid\"", `dir/a.rego:8:10: the selected events do not have argument "shmid"; the nearest is msqid`},
		{"misspelt flag of a list in a variable", header("A") + "package a\nmatch if {\n\tflags := input.flags\n\tflags[_] == \"MSG_COPI\"\n}", `dir/a.rego:10:2: there is no flag "MSG_COPI"; the nearest is MSG_COPY`},
		{"misspelt list", header("A") + "package a\nmatch if {\n\tsome r in input.memori\n\tr.length > 1\n}", "dir/a.rego:9:12: undefined ref: input.memori[_]: input has no field memori; the nearest is memory"},
		{"misspelt field that is looked for", header("A") + "package a\nmatch if object.get(input, \"retrunValue\", 0) < 0", "dir/a.rego:8:10: undefined ref: input.retrunValue: input has no field retrunValue; the nearest is returnValue"},
		{"misspelt path that is looked for", header("A") + "package a\nmatch if {\n\te := input\n\tobject.get(e, [\"object\", \"mod\"], 0) > 0\n}", "dir/a.rego:10:2: undefined ref: input.object.mod: input.object has no field mod; the nearest is mode"},
		{"argument of another event that is looked for", header("A") + "package a\nmatch if object.get(input.arg, \"shmid\", 0) > 0", "dir/a.rego:8:10: undefined ref: input.arg.shmid: input.arg of the selected events has no field shmid; the nearest is msqid"},
		{"misspelt field in every", header("A") + "package a\nmatch if {\n\tevery r in input.memory {\n\t\tr.chnged\n\t}\n}", "dir/a.rego:10:3: undefined ref: input.memory[_].chnged: input.memory[_] has no field chnged; the nearest is changed"},
		{"field of another type in every", header("A") + "package a\nmatch if {\n\tevery r in input.memory {\n\t\tr.length > \"7\"\n\t}\n}", `dir/a.rego:10:3: r.length is a number, and "7" is a string: to compare them says nothing of the event`},
		{"misspelt flag in every", header("A") + "package a\nmatch if {\n\tevery f in input.flags {\n\t\tf != \"IPC_NOWAT\"\n\t}\n}", `dir/a.rego:10:3: there is no flag "IPC_NOWAT"; the nearest is IPC_NOWAIT`},
		{"misspelt field in a function", header("A") + "package a\nmatch if large(input)\nlarge(e) if e.arg.msgsize > 7", "dir/a.rego:9:13: undefined ref: input.arg.msgsize: input.arg has no field msgsize; the nearest is msgsz"},
		{"field of another event in a function", header("A") + "package a\nmatch if large(input)\nlarge(e) if e.arg.shmid > 7", "dir/a.rego:9:13: undefined ref: input.arg.shmid: input.arg of the selected events has no field shmid; the nearest is msqid"},
		{"misspelt error in functions", header("A") + "package a\nmatch if is(input.error)\nmatch if kind(input.error) == 1\nis(e) if e == \"EAGIN\"\nkind(\"EPREM\") := 1", "dir/a.rego:10:10: there is no error \"EAGIN\"; the nearest is EAGAIN\ndir/a.rego:11:6: there is no error \"EPREM\"; the nearest is EPERM"},
		{"misspelt field that is replaced", header("A") + "package a\nmatch if root with input.usrId as 0\nroot if input.userId == 0", "dir/a.rego:8:10: undefined ref: input.usrId: input has no field usrId; the nearest is userId"},
		{"misspelt field in a variable", header("A") + "package a\nmatch if {\n\tname := \"mdoe\"\n\tinput.object[name] == 7\n}", "dir/a.rego:10:2: undefined ref: input.object.mdoe: input.object has no field mdoe; the nearest is mode"},
		{"misspelt flags of sets", header("A") + "package a\nmatch if {\n\tset := {f | some f in input.flags}\n\tset & {\"IPC_NOWAI\"} != set()\n\t\"IPC_NOWAT\" in set\n\tset.MSG_COPI\n\tset != {\"IPC_NOWIT\"}\n}", "dir/a.rego:10:2: there is no flag \"IPC_NOWAI\"; the nearest is IPC_NOWAIT\ndir/a.rego:11:2: there is no flag \"IPC_NOWAT\"; the nearest is IPC_NOWAIT\ndir/a.rego:12:2: there is no flag \"MSG_COPI\"; the nearest is MSG_COPY\ndir/a.rego:13:2: there is no flag \"IPC_NOWIT\"; the nearest is IPC_NOWAIT"},
		{"misspelt errors of tables", header("A") + "package a\nmatch if {\"EAGIN\"}[input.error]\nmatch if bad[input.error]\nmatch if worse[input.error]\nbad := {\"EPREM\"}\nworse contains \"EINVL\"", "dir/a.rego:8:11: there is no error \"EAGIN\"; the nearest is EAGAIN\ndir/a.rego:11:9: there is no error \"EPREM\"; the nearest is EPERM\ndir/a.rego:12:16: there is no error \"EINVL\"; the nearest is EINVAL"},
		{"misspelt argument of memory, and event of an overlap", header("A") + "package a\nmatch if input.memory[_].arg == \"msgq\"\nmatch if input.overlaps[_].eventName == \"msgrvc\"", "dir/a.rego:8:10: there is no argument \"msgq\"; the nearest is msgp\ndir/a.rego:9:10: there is no event \"msgrvc\"; the nearest is msgrcv"},
		{"no metadata", "package a\nmatch if true", "dir/a.rego:1:1: a signature needs a METADATA block directly above its package"},
		{"missing keys", "# METADATA\n# description: x\npackage a\nmatch if true", "dir/a.rego:2:3: METADATA lacks custom.events\ndir/a.rego:2:3: METADATA lacks custom.id\ndir/a.rego:2:3: METADATA lacks custom.severity\ndir/a.rego:2:3: METADATA lacks title"},
		{"unknown key", "# METADATA\n# titel: x\n" + strings.TrimPrefix(header("A"), "# METADATA\n") + "package a\nmatch if true", "dir/a.rego:2:3: METADATA: unknown key \"titel\"; the nearest is title"},
		{"unknown custom key", header("A") + "#   atack: [T1068]\npackage a\nmatch if true", "dir/a.rego:7:5: METADATA: unknown key \"atack\"; the nearest is attack"},
		{"wrong id", header("'a b'") + "package a\nmatch if true", "dir/a.rego:4:9: custom.id \"a b\": only letters, digits, dot, hyphen and underscore are allowed"},
		{"number for a string", header("7") + "package a\nmatch if true", "dir/a.rego:4:9: custom.id must be a string; a number needs quotes"},
		{"text for true", header("A") + "#   enabled: \"no\"\npackage a\nmatch if true", "dir/a.rego:7:14: custom.enabled must be true or false"},
		{"wrong technique", header("A") + "#   attack: [T1068, x]\npackage a\nmatch if true", "dir/a.rego:7:21: custom.attack: \"x\" is not an ATT&CK technique such as T1068 or T1222.002"},
		{"neither", header("A") + "package a\nmatches if true", "dir/a.rego:7:1: the package has the metadata of a signature, but neither match nor findings"},
		{"both", header("A") + "package a\nmatch if true\nfindings contains {} if true", "dir/a.rego:9:1: a package has either match or findings"},
		{"match with a key", header("A") + "package a\nmatch contains 1 if true", "dir/a.rego:8:1: match must have the form: match if { … }"},
		{"findings as a value", header("A") + "package a\nfindings := {1}", "dir/a.rego:8:1: findings must have the form: findings contains {…} if { … }"},
		{"evidence of findings", header("A") + "package a\nfindings contains {} if true\nevidence[\"a\"] := 1", "dir/a.rego:9:1: evidence goes with match; each element of findings is evidence itself"},
		{"evidence as a set", header("A") + "package a\nmatch if true\nevidence contains 1", "dir/a.rego:9:1: evidence must have the form: evidence[key] := value"},
		{"tracee_match elsewhere", "package a\ntracee_match := true", "dir/a.rego:2:1: tracee_match belongs in package tracee.<ID>"},
		{"native in tracee", header("A") + "package tracee.a\nmatch if true", "dir/a.rego:8:1: match does not belong in package tracee, where Tracee's contract holds"},
		{"no metadoc", "package tracee.a\n" + traceeEvents + "tracee_match { true }", "dir/a.rego:1:1: the package has tracee_match, but no __rego_metadoc__"},
		{"no verdict", "package tracee.a\n" + traceeMeta, "dir/a.rego:2:1: the package has __rego_metadoc__, but no tracee_match"},
		{"no source", "package tracee.a\n" + traceeMeta + "tracee_selected_events[s] { s := {\"name\": \"shmat\"} }\ntracee_match { true }", "dir/a.rego:3:1: tracee_selected_events: a selector has no source"},
		{"wrong origin", "package tracee.a\n" + traceeMeta + "tracee_selected_events[s] { s := {\"source\": \"tracee\", \"origin\": \"pod\"} }\ntracee_match { true }", "dir/a.rego:3:1: tracee_selected_events: origin \"pod\" is none of *, host, container, container-init"},
		{"metadoc from the event", "package tracee.a\n" + traceeEvents + "__rego_metadoc__ = {\"id\": input.eventName}\ntracee_match { true }", "dir/a.rego:3:1: __rego_metadoc__ is undefined: it must not depend on the event"},
		{"severity", "package tracee.a\n" + traceeEvents + "__rego_metadoc__ := {\"id\": \"T\", \"properties\": {\"Severity\": \"high\"}}\ntracee_match { true }", "dir/a.rego:3:1: __rego_metadoc__: property Severity is not a number from 0 (info) to 3 (high) or above (critical)"},
		{"broken v0", "package tracee.a\n" + traceeEvents + "tracee_match {\n  x := \n}", "dir/a.rego:5:1: unexpected } token: }"},
		{"broken v1", "package tracee.a\ntracee_match if true\ny if { x := }", "dir/a.rego:3:13: unexpected } token: y if { x := }"},
		{"escape sequences", header("A") + "package a\nmatch if input[\"\\u001b[31m\"]", `dir/a.rego:8:10: undefined ref: input["\x1b[31m"]: input has no field \x1b[31m; the nearest is arg`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(problemsOf(t, tree("a.rego", tt.text)), "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestTraceeTypes holds Tracee's signatures to the schema, too, as far as they are about
// events that ipcwarden has.
func TestTraceeTypes(t *testing.T) {
	const missing = "undefined ref: input.retrunValue: input has no field retrunValue; the nearest is returnValue"
	tests := []struct {
		events, match string
		library       string
		problem       string // "" if the signature loads
		warnings      []string
	}{
		{events: "msgsnd", match: "input.retrunValue < 0", problem: "dir/a.rego:7:2: " + missing},
		{events: "msgsnd", match: "input.kubernetes.podname", problem: "dir/a.rego:7:2: undefined ref: input.kubernetes.podname: input.kubernetes has no field podname; the nearest is podName"},
		{events: "msgsnd", match: "data.tracee.helper.x", problem: "dir/a.rego:7:2: data.tracee.helper.x is not defined in any file; the nearest to helper is helpers"},
		{events: "msgsnd", match: "input.returnValue == \"0\"", problem: "dir/a.rego:7:2: match error: a number is never equal to a string"},
		{events: "msgsnd", match: "helpers.get_tracee_argument(\"msgsiz\") > 7", problem: "dir/a.rego:7:2: there is no argument \"msgsiz\"; the nearest is msgsz"},
		{events: "msgsnd", match: "helpers.get_tracee_argument(\"shmid\") > 7", problem: "dir/a.rego:7:2: the selected events do not have argument \"shmid\"; the nearest is msqid"},
		{events: "msgsnd", match: "helpers.get_tracee_argument(\"msgsz\") == \"7\"", problem: "dir/a.rego:7:2: helpers.get_tracee_argument(\"msgsz\") is a number, and \"7\" is a string: to compare them says nothing of the event"},
		{events: "msgsnd", match: "7 < helpers.get_tracee_argument(\"msgp\")", problem: "dir/a.rego:7:2: 7 is a number, and helpers.get_tracee_argument(\"msgp\") is a string: to compare them says nothing of the event"},
		{events: "msgsnd", match: "large(helpers.get_tracee_argument(\"msgsz\"))\n}\nlarge(n) {\n\tn > \"7\"", problem: "dir/a.rego:10:2: n is a number, and \"7\" is a string: to compare them says nothing of the event"},
		{events: "msgsnd", match: "root(input)\n}\nroot(e) {\n\te.usrId == 0", problem: "dir/a.rego:10:2: undefined ref: input.usrId: input has no field usrId; the nearest is userId"},
		{events: "msgsnd", match: "x = input.error; x == \"EPERM\"\n}\ntracee_match {\n\tx = input.processName; x == \"bash\""},
		{events: "msgsnd", match: "input.eventName == \"ptrace\"", problem: "dir/a.rego:7:2: there is no event \"ptrace\"; the nearest is ipc"},
		{events: "msgsdn", match: "true", problem: "dir/a.rego:4:14: there is no event \"msgsdn\"; the nearest is msgsnd"},
		{events: "shm_get", match: "true", problem: "dir/a.rego:4:14: there is no event \"shm_get\"; the nearest is shmget"},
		{events: "msgsnd", match: "input.metadata.Version; input.kubernetes.podSandbox; input.podName != \"\""},
		{events: "msgsnd", match: "helpers.get_tracee_argument(\"msgsz\") == 7; helpers.get_tracee_argument(\"msgp\") != \"0x0\""},
		{events: "msgsnd", match: "object.get(input, \"k8s\", {})", warnings: []string{"dir/a.rego:7:2: undefined ref: input.k8s: input has no field k8s; the nearest is arg"}},
		{events: "sysctl", match: "input.retrunValue < 0", warnings: []string{"dir/a.rego:4:14: selects sysctl, which ipcwarden does not see"}},
		{
			events: "msgsnd ptrace", match: "input.eventName == \"ptrace\"; helpers.get_tracee_argument(\"request\") == \"PTRACE_TRACEME\"",
			warnings: []string{"dir/a.rego:4:24: selects ptrace, which ipcwarden does not see"},
		},
		{events: "*", match: "input.eventName == \"ptrace\"; input.retrunValue < 0", warnings: []string{"dir/a.rego:7:31: " + missing}},
		{events: "msgsnd", match: "data.tracee.lib.broken", library: "input.retrunValue", warnings: []string{"dir/lib.rego:2:10: " + missing}},
	}
	for _, tt := range tests {
		tt.library = cmp.Or(tt.library, "true")
		names := "\"" + strings.ReplaceAll(tt.events, " ", "\", \"") + "\""
		source := tree("a.rego", "package tracee.a\nimport data.tracee.helpers\n__rego_metadoc__ := {\"id\": \"T\", \"properties\": {\"Severity\": 1}}\nselected := ["+names+"]\n"+
			"tracee_selected_events[{\"source\": \"tracee\", \"name\": selected[_]}]\ntracee_match {\n\t"+tt.match+"\n}",
			"lib.rego", "package tracee.lib\nbroken { "+tt.library+" }")
		t.Run(tt.events+": "+tt.match, func(t *testing.T) {
			set, err := Load(source)
			if err != nil {
				if err.Error() != tt.problem {
					t.Errorf("got\n%v\nwant\n%s", err, tt.problem)
				}
				return
			}
			if got := set.Warnings(); tt.problem != "" || !slices.Equal(got, tt.warnings) {
				t.Errorf("got warnings %q, want %q and problem %q", got, tt.warnings, tt.problem)
			}
		})
	}
}

// TestTraceeReference has a signature of Tracee refer to one of events that ipcwarden does
// not have.
func TestTraceeReference(t *testing.T) {
	_, err := Load(Path("testdata/tracee"), tree("a.rego", traceeHead+"tracee_selected_events[s] { s := {\"source\": \"tracee\", \"name\": \"msgsnd\"} }\n"+
		"tracee_match { not data.tracee.TRC_IPC_1.tracee_match }"))
	if err != nil {
		t.Error(err)
	}
}

// TestMeaningful has comparisons that are none of those above, close as they are.
func TestMeaningful(t *testing.T) {
	for _, rule := range []string{
		"match if object.get(input, [\"object\", \"mode\"], 0) > 0", "match if object.get(input.arg, input.via, \"\") == \"\"", "match if object.get({\"a\": 1}, \"b\", 0) > 0",
		"match if object.get(input, [\"args\", 0, \"value\"], 0) == 7", "match if input.error == \"E999\"", "match if \"0x40\" in input.flags", "match if \"SHM_HUGE_2MB\" in input.flags",
		"match if input.object != null", "match if input.args[0].value > \"4\"", "match if input.args[_].value != 4",
		"match if input.processName > \"a\"", "match if input.processName in {\"msgsdn\"}", "match if input.syscall == \"semtimedop_time64\"",
		"match if f(1, \"x\")\nf(a, b) if a > b", "match if {\n\tx := [1, \"a\"][_]\n\tx > 0\n}",
		"match if {\n\tinput.error in words\n\t\"IPC_NOWAIT\" in words\n}\nwords := {\"EAGAIN\", \"IPC_NOWAIT\", \"IPC_STAT\"}",
		"match if {\n\tsome pair in [[\"IPC_STAT\", \"EAGAIN\"]]\n\tinput.error == pair[1]\n}", "match if input.processName in names\nnames := {\"EAGIN\"}",
		"match if input.error == f(\"EAGIN\")\nf(x) := concat(\"\", [x])", "match if data.ipcwarden.call.outcome in {\"ok\", \"E999\", \"EAGAIN\"}",
		"match if { x = input.error; x == \"EPERM\" }\nmatch if { x = input.processName; x == \"bash\" }",
		"match if { x = input.userId; x > 3 }\nmatch if { x = input.processName; x > \"b\" }",
		"match := true if { x = input.userId; x > 3 } else := true if { x = input.error; x > \"EA\" }",
		"match if { count([1 | x = input.error; x != \"EPERM\"]) > 0; count([1 | x = input.processName; x != \"bash\"]) > 0 }",
		"match if { some k, v in {\"a\": 1}; v > 0; k > \"\" }", "match if { f(input.object); f(input.memory[_]) }\nf(x) if x.mode\nf(x) if x.length > 7",
		"match if f(input.error)\nmatch if f(input.processName)\nf(x) if x == \"EAGIN\"", "match if f({\"a\": 1})\nmatch if f(input)\nf(x) if x.a == 1",
		"match if f with input.userId as 7\nf if input.userId == 7", "match if { some k in [\"mode\", \"key\"]; input.object[k] == 0 }", "match if { some k in [\"a\"]; {\"a\": 1}[k] == 1 }",
		"match if { every r in input.memory { r.changed; r.arg in {\"msgp\", \"*ptr\"} } }", "match if names[input.processName]\nnames := {\"EAGIN\"}", "match if input.overlaps[_].eventName == \"shmat\"", "match if \"a\" in object.keys({\"a\": 1})", "match if 1 in {\"a\": 1}",
	} {
		if _, err := Load(tree("a.rego", header("A")+"package a\n"+rule)); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
	for events, rule := range map[string]string{
		"semctl, msgctl": "match if input.command == \"SEM_STAT_ANY\"",
		"shmat, ipc":     "match if input.eventName in {\"shmat\", \"ipc\"}",
		"ipc":            "match if {\n\tinput.object.nsems > input.arg.first\n\tinput.command == \"SETALL\"\n\t\"MSG_COPY\" in input.flags\n}",
		"semop":          "match if {\n\t\"SEM_UNDO\" in input.flags\n\tinput.object.kind == \"sem\"\n}",
	} {
		selecting := strings.Replace(header("A"), "[msgsnd]", "["+events+"]", 1)
		if _, err := Load(tree("a.rego", selecting+"package a\n"+rule)); err != nil {
			t.Errorf("%s: %s: %v", events, rule, err)
		}
	}
}

// TestNamesOfOtherEvents wants warnings for names that only events have which the
// signature does not select, but are not in the comparison itself, and for keys that a
// field never has.
func TestNamesOfOtherEvents(t *testing.T) {
	set, err := Load(tree("a.rego", header("A")+"package a\nimport data.ipcwarden.flags\nmatch if flags.has_any({\"MSG_COPY\", \"IPC_NOWAIT\"})\n"+
		"match if flags.has_all(wanted)\nmatch if flags.has_none(wanted)\nwanted := {\"SHM_EXEC\"}\n"+
		"match if table[input.error] > table.other\ntable := {\"EAGAIN\": 1, \"EPREM\": 2, \"other\": 0}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`dir/a.rego:9:25: the selected events do not have flag "MSG_COPY"; the nearest is IPC_NOWAIT`,
		`dir/a.rego:12:12: the selected events do not have flag "SHM_EXEC"; the nearest is IPC_NOWAIT`,
		`dir/a.rego:14:24: there is no error "EPREM"; the nearest is EPERM`,
		`dir/a.rego:14:36: there is no error "other"; the nearest is EPERM`,
	}
	if got := set.Warnings(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSchemaAnnotation loads what opa check --schema DIR demands.
func TestSchemaAnnotation(t *testing.T) {
	annotated := strings.Replace(header("A"), "# custom:", "# schemas:\n#   - input: schema.event\n# custom:", 1)
	if _, err := Load(tree("a.rego", annotated+"package a\nmatch if input.arg.msgsz > 1")); err != nil {
		t.Error(err)
	}
}

func TestUnknownNames(t *testing.T) {
	text := "# METADATA\n# title: A title\n# custom:\n#   id: A\n#   severity: hihg\n#   events: [msgsnd, mgsrcv]\npackage a\nmatch if true"
	want := []string{
		`dir/a.rego:5:15: custom.severity: severity "hihg" is none of info, low, medium, high, critical`,
		`dir/a.rego:6:22: custom.events: there is no event "mgsrcv"; the nearest is msgrcv`,
	}
	if got := problemsOf(t, tree("a.rego", text)); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
}

// TestEveryProblem tells of errors that OPA finds at different stages, and in
// files that need each other, at once and without consequential ones.
func TestEveryProblem(t *testing.T) {
	got := problemsOf(t, tree(
		"parse.rego", "package lib.parse\nf(x) := x if {",
		"unsafe.rego", header("A")+"package a\nmatch if x == 1",
		"typo.rego", header("B")+"package b\nmatch if input.proces",
		"meta.rego", header("C")+"#   x: 1\npackage c\nmatch if true",
		"needs.rego", header("D")+"package d\nmatch if data.lib.parse.f(1)",
		"good.rego", header("E")+"package e\nmatch if true",
	))
	want := []string{"dir/meta.rego:7:5: ", "dir/parse.rego:2:1", "dir/typo.rego:8:10: ", "dir/unsafe.rego:8:10: "}
	for i, prefix := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], prefix) {
			t.Errorf("problem %d of %q, want %s", i, got, prefix)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d problems: %q", len(got), got)
	}
}

func TestNativeUsesLibraries(t *testing.T) {
	_, err := Load(tree(
		"a.rego", header("A")+"package a\nimport data.tracee.helpers\nimport data.b\nmatch if helpers.get_tracee_argument(\"msqid\") == b.seven",
		"b/1.rego", "package b\nseven := 7",
		"b/2.rego", "package b\neight := 8",
	))
	if err != nil {
		t.Error(err)
	}
}

// TestIncompleteTracee reports what Tracee's signatures say of themselves even
// if another file is broken.
func TestIncompleteTracee(t *testing.T) {
	got := problemsOf(t, tree(
		"a.rego", "package a\nx := ",
		"b.rego", "package tracee.b\n__rego_metadoc__ := 1\ntracee_selected_events := {1}\ntracee_match := true",
	))
	want := []string{
		"dir/b.rego:2:1: __rego_metadoc__ is a number, not an object",
		"dir/b.rego:3:1: tracee_selected_events has a number, not only objects",
	}
	if !slices.Equal(got[len(got)-2:], want) {
		t.Errorf("got %q", got)
	}
}

func TestDuplicates(t *testing.T) {
	got := problemsOf(t, tree("a.rego", header("A")+"package a\nmatch if true", "b.rego", header("A")+"package b\nmatch if true"))
	if want := "dir/b.rego: signature id A is taken by dir/a.rego"; len(got) != 1 || got[0] != want {
		t.Errorf("got %q", got)
	}
	got = problemsOf(t, tree("a.rego", header("A")+"package a\nmatch if true", "b.rego", header("B")+"package a\nmatch if false"))
	if want := "dir/b.rego:7:1: package a has a signature in dir/a.rego already: one signature to a package"; !slices.Contains(got, want) {
		t.Errorf("got %q", got)
	}
	one := tree("a.rego", header("A")+"package a\nmatch if true")
	if got := problemsOf(t, one, one); len(got) != 1 || got[0] != "dir/a.rego: the file is loaded twice" {
		t.Errorf("got %q", got)
	}
}

func TestPaths(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("set/sub/a.rego", header("A")+"package a\nmatch if data.lib.yes")
	write("set/lib.rego", "package lib\nyes := true")
	write("set/a_test.rego", "no rego")
	write("set/.hidden/x.rego", "no rego")
	write("set/.x.rego", "no rego")
	write("one.rego", header("B")+"package b\nmatch if true")
	write("readme.md", "no rego")
	if err := os.MkdirAll(filepath.Join(dir, "none"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "odd", "x.rego", "y"), 0o700); err != nil {
		t.Fatal(err)
	}

	set, err := Load(Path(filepath.Join(dir, "set")), Path(filepath.Join(dir, "one.rego")))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(set.Signatures()); got != 2 {
		t.Errorf("%d signatures", got)
	}
	if got, want := set.Signatures()[0].Metadata().Source, filepath.Join(dir, "set/sub/a.rego"); got != want {
		t.Errorf("source %s, want %s", got, want)
	}
	for name, want := range map[string]string{
		"missing":      ": no such file or directory",
		"missing.rego": ": no such file or directory",
		"readme.md":    ": neither a directory nor a .rego file nor a bundle (.tar.gz)",
		"none":         ": no .rego file in this directory",
		"odd":          ": no .rego file in this directory",
	} {
		at := filepath.Join(dir, name)
		if got := problemsOf(t, Path(at)); len(got) != 1 || got[0] != at+want {
			t.Errorf("got %q, want %s%s", got, at, want)
		}
	}
}

func TestProblemIsPrintable(t *testing.T) {
	ps := &problems{}
	ps.add("a\x1b[31m.rego", 1, 2, "a\nb\x07%s", "\u202e")
	if got, want := ps.err().Error(), `a\x1b[31m.rego:1:2: a b\a\u202e`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestProblemIsShort has a file of one long line, which OPA repeats.
func TestProblemIsShort(t *testing.T) {
	const enough = 10_000
	got := problemsOf(t, tree("a.rego", strings.Repeat("\x00", 1<<20), "b.rego", "package b\nx := \"\u00fc"+strings.Repeat("ü", 1<<16)))
	for _, line := range got {
		if len(line) > enough || !strings.HasSuffix(line, "…") || !utf8.ValidString(line) {
			t.Errorf("%d bytes: %.100s", len(line), line)
		}
	}
}

func TestNativeMetadata(t *testing.T) {
	text := `# METADATA
# title: A title
# description: |
#   Two
#   lines
# related_resources:
#   - https://example.org/a
#   - ref: https://example.org/b
#     description: b
# custom:
#   id: A-1
#   severity: critical
#   events: [msgsnd, shmat]
#   attack: [T1068, T1222.002]
#   false_positives: [none]
#   version: "1.0"
#   tags: [x, y]
package a
match if true
`
	set, err := Load(tree("x/a.rego", text))
	if err != nil {
		t.Fatal(err)
	}
	md := set.Signatures()[0].Metadata()
	if md.ID != "A-1" || md.Title != "A title" || md.Description != "Two\nlines" || md.Version != "1.0" ||
		md.Severity != detect.Critical || md.Events != event.Of(event.Msgsnd, event.Shmat) ||
		strings.Join(md.References, " ") != "https://example.org/a https://example.org/b" ||
		strings.Join(md.Attack, " ") != "T1068 T1222.002" || strings.Join(md.FalsePositives, " ") != "none" ||
		strings.Join(md.Tags, " ") != "x y" || md.Source != "dir/x/a.rego" {
		t.Errorf("got %+v", md)
	}
}
