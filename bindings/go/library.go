package mpegclient

// #include <mpegclient.h>
// #include <stdlib.h>
//
// extern void mpegclientGoLog(int32_t level, char *line, void *user_data);
//
// static int32_t log_to_go(int on) {
//     return mpegclient_set_log_callback(on ? (MpegClientLogCallback)mpegclientGoLog : NULL, NULL);
// }
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// Version is that of the loaded library, such as "0.1.0".
func Version() string { return C.GoString(C.mpegclient_version()) }

// VersionNumber is the same as one number: major * 1000000 + minor * 1000 + patch.
func VersionNumber() uint32 { return uint32(C.mpegclient_version_number()) }

// ABIVersion is the ABI number of the loaded library; it must be at least HeaderABIVersion.
func ABIVersion() uint32 { return uint32(C.mpegclient_abi_version()) }

// HeaderABIVersion is the ABI number of the header that this package was built with.
const HeaderABIVersion = C.MPEGCLIENT_ABI_VERSION

// BuildInfo tells in one line how the library was built: its version, FFmpeg's versions and licence.
func BuildInfo() string { return C.GoString(C.mpegclient_build_info()) }

// SetLogLevel sets how much is logged, for the whole process. Without a function of SetLogFunc the lines go to the
// standard error stream.
func SetLogLevel(level LogLevel) error {
	return call(func() C.int32_t { return C.mpegclient_set_log_level(C.int32_t(level)) })
}

var logFunction atomic.Pointer[func(LogLevel, string)]

// SetLogFunc has a function receive the log lines, for the whole process, instead of the one before; nil: they go to the
// standard error stream again. It is called on any goroutine, also on several at once, and must not call this package.
func SetLogFunc(function func(level LogLevel, line string)) error {
	on := C.int(0)
	if function != nil {
		logFunction.Store(&function)
		on = 1
	}
	return call(func() C.int32_t { return C.log_to_go(on) })
}

//export mpegclientGoLog
func mpegclientGoLog(level C.int32_t, line *C.char, _ unsafe.Pointer) {
	(*logFunction.Load())(LogLevel(level), C.GoString(line))
}

// Redact returns a text without the credentials in it. Of addresses it keeps scheme, host, port, path and harmless values
// of the query; what is hidden becomes "***". The texts of this package have been through it already.
func Redact(text string) (string, error) {
	cText, err := cString("text", text)
	if err != nil {
		return "", err
	}
	defer freeString(cText)
	return readText(func(buffer *C.char, size C.size_t, needed *C.size_t) error {
		return call(func() C.int32_t { return C.mpegclient_redact(cText, buffer, size, needed) })
	})
}

// ParameterInfo is one row of the table of parameters.
type ParameterInfo struct {
	Key     string
	Kind    ParameterKind
	Scope   Scope  // when a change counts
	Default string // the value while none is set
	Range   string // the values it takes, in words
	Help    string // what it does, in one sentence
}

// ParameterInfos is the table of parameters.
func ParameterInfos() ([]ParameterInfo, error) {
	table := make([]ParameterInfo, C.mpegclient_parameter_count())
	for index := range table {
		info := C.MpegClientParameterInfo{struct_size: C.sizeof_MpegClientParameterInfo}
		err := call(func() C.int32_t { return C.mpegclient_parameter_describe(C.size_t(index), &info) })
		if err != nil {
			return nil, err
		}
		table[index] = ParameterInfo{
			Key:     C.GoString(info.key),
			Kind:    ParameterKind(info.kind),
			Scope:   Scope(info.scope),
			Default: C.GoString(info.default_value),
			Range:   C.GoString(info._range),
			Help:    C.GoString(info.help),
		}
	}
	return table, nil
}
