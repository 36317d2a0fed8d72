package sink

import (
	"fmt"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// The formats that have no template of their own.
const (
	FormatJSON     = "json"
	FormatTable    = "table"
	FormatTemplate = "template"
)

// render appends an entry as one message, without an end of line.
type render func(dst []byte, e *Entry) ([]byte, error)

func (s *Settings) checkFormat() error {
	switch {
	case s.Kind == KindWebhook && s.Format == FormatTable:
		return setting.Under("format", fmt.Errorf("%s is for people; a webhook takes json or a template", s.Format))
	case s.Format == FormatJSON, s.Format == FormatTable:
	case s.Format == FormatTemplate:
		_, err := s.parseTemplate()
		return setting.Under("template", err)
	case readyTemplates[s.Format].contentType == "":
		return setting.Under("format", fmt.Errorf("there is no format %q", s.Format))
	case s.Kind != KindWebhook:
		return setting.Under("format", fmt.Errorf("%s is for webhooks", s.Format))
	}
	if s.Template != "" && s.Format != FormatTemplate {
		return setting.Under("template", fmt.Errorf("is used with format template only, not with %s", s.Format))
	}
	return nil
}

// parseTemplate reads the template of settings that have one.
func (s *Settings) parseTemplate() (*messageTemplate, error) {
	escape := escapeLine
	if s.Kind == KindWebhook && s.Webhook.isJSON() {
		escape = escapeJSON
	}
	return parseTemplate(FormatTemplate, s.Template, escape, s.Webhook.RoutingKey.Reveal())
}

// line is the format of sinks that take lines.
func (s *Settings) line(color bool) (render, error) {
	switch s.Format {
	case FormatTable:
		table := Table{color: color}
		return func(dst []byte, e *Entry) ([]byte, error) { return table.append(dst, e.Alert), nil }, nil
	case FormatTemplate:
		t, err := s.parseTemplate()
		if err != nil {
			return nil, err
		}
		return t.append, nil
	default:
		return appendJSON, nil
	}
}

func appendJSON(dst []byte, e *Entry) ([]byte, error) { return append(dst, e.JSON...), nil }
