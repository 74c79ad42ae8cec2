package daemon

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

const environmentPrefix = "MANDATED_"

// override sets every single-valued key for which the environment has a variable. A
// variable that fits no key is left alone: others may use the same prefix.
func override(c *Config, environ []string) error {
	values := map[string]string{}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(name, environmentPrefix) {
			values[name] = value
		}
	}
	return overrideFields(reflect.ValueOf(c).Elem(), environmentPrefix, values)
}

func overrideFields(v reflect.Value, prefix string, values map[string]string) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name := prefix + strings.ToUpper(field.Tag.Get("yaml"))
		if field.Type.Kind() == reflect.Struct {
			if err := overrideFields(v.Field(i), name+"_", values); err != nil {
				return err
			}
			continue
		}
		if text, ok := values[name]; ok {
			if err := setField(v.Field(i), text); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func setField(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		v.SetBool(on)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetInt(int64(n))
	default:
		return fmt.Errorf("a key with several values cannot be set by the environment")
	}
	return nil
}
