package deliver

import (
	"encoding/json"
	"time"

	"go.uber.org/zap"
	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// Of the file of dead letters: its size in MiB, and how many old ones are kept.
const (
	deadBytes = 10
	deadFiles = 5
)

// deadLetters keeps alerts that sinks have rejected, with the reason.
type deadLetters struct {
	file *lumberjack.Logger // nil for none
	log  *zap.Logger
}

func newDeadLetters(path string, log *zap.Logger) *deadLetters {
	d := &deadLetters{log: log}
	if path != "" {
		d.file = &lumberjack.Logger{Filename: path, MaxSize: deadBytes, MaxBackups: deadFiles} // gives a new file mode 0600
	}
	return d
}

// deadLetter is a line of the file.
type deadLetter struct {
	Time   time.Time       `json:"time"`
	Sink   string          `json:"sink"`
	Reason string          `json:"reason"`
	Alert  json.RawMessage `json:"alert"`
}

// put is safe for concurrent use.
func (d *deadLetters) put(name string, reason error, e *sink.Entry) {
	d.log.Error("alert rejected", zap.String("sink", name), zap.String("alert", e.Alert.ID), zap.Error(reason))
	if d.file == nil {
		return
	}
	line, err := json.Marshal(deadLetter{time.Now().UTC(), name, reason.Error(), e.JSON})
	if err == nil {
		_, err = d.file.Write(append(line, '\n'))
	}
	if err != nil {
		d.log.Error("dead letter not written", zap.String("alert", e.Alert.ID), zap.Error(err))
	}
}

func (d *deadLetters) close() error {
	if d.file == nil {
		return nil
	}
	return d.file.Close()
}
