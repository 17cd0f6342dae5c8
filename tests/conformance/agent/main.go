// Posts to Procession as a Datadog Agent does, with Datadog's own library for what goes over the wire, and says as JSON
// lines what it sent, what was answered, and how the API must show each process.
//
// Usage: agent URL API-KEY ENCODING UNIX-TIME
//
//	agent read < FRAMES
//
// The second reads frames, one a line in hexadecimal digits, and says as JSON lines what that library finds in them.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/DataDog/agent-payload/v5/process"
)

const perMessage = 100

type line struct {
	Sent   string `json:"sent,omitempty"`
	Status int    `json:"status,omitempty"`
	// The answer, as Datadog's library reads it.
	Message       string `json:"message"`
	HasStatus     bool   `json:"has_status"`
	ActiveClients int32  `json:"active_clients"`
	Interval      int32  `json:"interval"`

	Process *shown    `json:"process,omitempty"`
	Details *detailed `json:"details,omitempty"`
}

// How GET /api/v2/processes must show a process.
type shown struct {
	Host    string   `json:"host"`
	Pid     int32    `json:"pid"`
	Ppid    int32    `json:"ppid"`
	Start   string   `json:"start"`
	Seen    string   `json:"timestamp"`
	User    string   `json:"user"`
	Cmdline string   `json:"cmdline"`
	Tags    []string `json:"tags"`
}

// What GET /api/procession/v1/processes must say besides, four seconds later.
type detailed struct {
	Host     string  `json:"host"`
	Pid      int32   `json:"pid"`
	CPU      float32 `json:"cpu"`
	Rss      uint64  `json:"rss"`
	State    string  `json:"state"`
	Ended    *string `json:"ended"`
	ExitCode *int32  `json:"exit_code"`
}

type agent struct {
	url, key string
	encoding process.MessageEncoding
	// The moment of the snapshots, and of what is being sent.
	now, at int64
	out     *json.Encoder
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "read" {
		read()
		return
	}
	encoding, err := strconv.Atoi(os.Args[3])
	check(err)
	now, err := strconv.ParseInt(os.Args[4], 10, 64)
	check(err)
	a := &agent{os.Args[1], os.Args[2], process.MessageEncoding(encoding), now, now, json.NewEncoder(os.Stdout)}
	for number := 0; number < 3; number++ {
		a.snapshot(fmt.Sprintf("agent-%d", number), number, 250)
	}
	a.others("agent-0")
	a.at = now + 2
	a.realTime("agent-0")
	a.at = now + 4
	a.exit("agent-0")
}

func read() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		data, err := hex.DecodeString(lines.Text())
		check(err)
		message, err := process.DecodeMessage(data)
		check(err)
		check(out.Encode(message.Body))
	}
	check(lines.Err())
}

func (a *agent) snapshot(host string, number int, count int) {
	containers := []*process.Container{
		{Type: "docker", Id: strings.Repeat("c0", 32), Tags: []string{"container_name:web", "kube_namespace:Shop", "env:prod"}},
		{Type: "containerd", Id: strings.Repeat("ab", 32), Tags: []string{"container_name:db", "env:prod"}},
	}
	var all []*process.Process
	for index := 0; index < count; index++ {
		all = append(all, a.process(index, number, containers))
	}
	size := int32((count + perMessage - 1) / perMessage)
	for chunk := int32(0); chunk < size; chunk++ {
		some := all[chunk*perMessage : min((int(chunk)+1)*perMessage, count)]
		body := &process.CollectorProc{
			HostName: host, Processes: some, Containers: containers, GroupId: 77, GroupSize: size,
			Info: &process.SystemInfo{TotalMemory: 8 << 30, Cpus: []*process.CPUInfo{{Cores: 1}, {Cores: 1}}},
		}
		a.post("/api/v1/collector", "process", host, uint64(number)<<42|uint64(chunk), process.TypeCollectorProc, body)
	}
	for _, one := range all {
		a.show(host, one, containers)
	}
}

func (a *agent) process(index int, number int, containers []*process.Container) *process.Process {
	one := &process.Process{
		Pid: int32(1000 + index), NsPid: int32(1 + index),
		Command: &process.Command{
			Args: []string{"/usr/sbin/worker", "--number", strconv.Itoa(index), "--name", "Ünï cödé"},
			Exe:  "/usr/sbin/worker", Comm: "worker", Cwd: "/srv", Ppid: 1,
		},
		User:       &process.ProcessUser{Name: "app", Uid: 1000, Gid: 1000},
		Memory:     &process.MemoryStat{Rss: 1 << 20, Vms: 1 << 24},
		Cpu:        &process.CPUStat{LastCpu: "cpu", TotalPct: 1.5, UserPct: 1, SystemPct: 0.5, NumThreads: 4},
		CreateTime: (a.now - 5000 - int64(index)) * 1000, OpenFdCount: -1, State: process.ProcessState_S,
		IoStat: &process.IOStat{ReadRate: -1, WriteRate: -1, ReadBytesRate: -1, WriteBytesRate: -1},
	}
	switch index % 5 {
	case 1:
		one.ContainerId = containers[0].Id
	case 2:
		one.ContainerId = containers[1].Id
		one.Tags = []string{"service:checkout", "env:prod"}
	case 3:
		one.User = &process.ProcessUser{Uid: 118}
	case 4:
		one.State = process.ProcessState_Z
		one.Command = &process.Command{Comm: "defunct", Ppid: 1}
	}
	return one
}

func (a *agent) show(host string, one *process.Process, containers []*process.Container) {
	found := map[string]bool{}
	for _, tag := range one.Tags {
		found[strings.ToLower(tag)] = true
	}
	for _, container := range containers {
		if container.Id == one.ContainerId {
			for _, tag := range container.Tags {
				found[strings.ToLower(tag)] = true
			}
		}
	}
	tags := []string{}
	for tag := range found {
		tags = append(tags, tag)
	}
	sort.Strings(tags)
	user := one.User.Name
	if user == "" {
		user = fmt.Sprintf("uid:%d", one.User.Uid)
	}
	command, zombie := "worker", one.State == process.ProcessState_Z
	if zombie {
		command = "defunct"
	}
	tags = append(tags, "host:"+host, "user:"+user, "command:"+command, fmt.Sprintf("state_zombie:%t", zombie))
	details := detailed{Host: host, Pid: one.Pid, CPU: one.Cpu.TotalPct, Rss: one.Memory.Rss, State: one.State.String()}
	if host == "agent-0" {
		switch one.Pid {
		case 1000:
			details.CPU, details.Rss, details.State = 97.5, 2<<20, "R"
		case 1004:
			ended, code := moment(a.now+4), int32(3)
			details.Ended, details.ExitCode = &ended, &code
		}
	}
	check(a.out.Encode(line{Details: &details}))
	check(a.out.Encode(line{Process: &shown{
		Host: host, Pid: one.Pid, Ppid: one.Command.Ppid, Start: moment(one.CreateTime / 1000), Seen: moment(a.now),
		User: user, Cmdline: strings.Join(one.Command.Args, " "), Tags: tags,
	}}))
}

func (a *agent) realTime(host string) {
	body := &process.CollectorRealTime{HostName: host, GroupId: 78, GroupSize: 1, NumCpus: 2, Stats: []*process.ProcessStat{{
		Pid: 1000, CreateTime: (a.now - 5000) * 1000, Threads: 9, ProcessState: process.ProcessState_R,
		Cpu: &process.CPUStat{TotalPct: 97.5}, Memory: &process.MemoryStat{Rss: 2 << 20},
	}}}
	a.post("/api/v1/collector", "rtprocess", host, 0, process.TypeCollectorRealTime, body)
}

func (a *agent) others(host string) {
	container := &process.Container{Type: "docker", Id: strings.Repeat("c0", 32)}
	a.post("/api/v1/container", "container", host, 0, process.TypeCollectorContainer,
		&process.CollectorContainer{HostName: host, Containers: []*process.Container{container}, GroupSize: 1})
	a.post("/api/v1/container", "rtcontainer", host, 0, process.TypeCollectorContainerRealTime,
		&process.CollectorContainerRealTime{HostName: host, GroupSize: 1})
	a.post("/api/v1/discovery", "process_discovery", host, 0, process.TypeCollectorProcDiscovery,
		&process.CollectorProcDiscovery{HostName: host, GroupSize: 1, ProcessDiscoveries: []*process.ProcessDiscovery{
			{Pid: 4000, Command: &process.Command{Args: []string{"only-discovered"}}, CreateTime: a.now * 1000},
		}})
	a.post("/api/v1/connections", "connections", host, 0, process.TypeCollectorConnections,
		&process.CollectorConnections{HostName: host, GroupSize: 1})
}

// Process events are sent without a frame.
func (a *agent) exit(host string) {
	event := &process.ProcessEvent{
		Type: process.ProcEventType_exit, CollectionTime: a.at * 1e9, Pid: 1004,
		Command: &process.Command{Args: []string{"/usr/sbin/worker"}, Exe: "/usr/sbin/worker"},
		User:    &process.ProcessUser{Name: "app", Uid: 1000},
		TypedEvent: &process.ProcessEvent_Exit{Exit: &process.ProcessExit{
			ExecTime: (a.now - 5004) * 1e9, ExitTime: a.at * 1e9, ExitCode: 3,
		}},
	}
	data, err := (&process.CollectorProcEvent{Hostname: host, Events: []*process.ProcessEvent{event}, GroupSize: 1}).Marshal()
	check(err)
	status, _ := a.send("/api/v2/proclcycle", host, 0, data)
	check(a.out.Encode(line{Sent: "process_events", Status: status}))
}

func (a *agent) post(path, name, host string, id uint64, kind process.MessageType, body process.MessageBody) {
	header := process.MessageHeader{Version: process.MessageV3, Encoding: a.encoding, Type: kind}
	data, err := process.EncodeMessage(process.Message{Header: header, Body: body})
	check(err)
	status, answer := a.send(path, host, id, data)
	said := line{Sent: name, Status: status}
	message, err := process.DecodeMessage(answer)
	check(err)
	result, ok := message.Body.(*process.ResCollector)
	if !ok {
		panic(fmt.Sprintf("answered with a message of type %d", message.Header.Type))
	}
	said.Message = result.Message
	if result.Status != nil {
		said.HasStatus, said.ActiveClients, said.Interval = true, result.Status.ActiveClients, result.Status.Interval
	}
	check(a.out.Encode(said))
}

func (a *agent) send(path, host string, id uint64, data []byte) (int, []byte) {
	request, err := http.NewRequest(http.MethodPost, a.url+path, bytes.NewReader(data))
	check(err)
	for name, value := range map[string]string{
		"DD-Api-Key": a.key, "DD-Agent-Version": "7.66.1", "User-Agent": "datadog-agent/7.66.1",
		"X-DD-Agent-Attempts": "1", "X-Dd-Hostname": host, "X-DD-Agent-Timestamp": strconv.FormatInt(a.at, 10),
		"X-Dd-Processagentversion": "7.66.1", "X-Dd-ContainerCount": "2", "Content-Type": "application/x-protobuf",
		"X-DD-Agent-Start-Time": strconv.FormatInt(a.now-60, 10), "X-DD-Request-ID": strconv.FormatUint(id, 10),
		"X-DD-Processes-Enabled": "true", "X-DD-Service-Discovery-Enabled": "false",
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	check(err)
	return response.StatusCode, answer
}

func moment(seconds int64) string {
	return time.Unix(seconds, 0).UTC().Format("2006-01-02T15:04:05")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
