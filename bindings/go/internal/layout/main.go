// Prints how the structs of the header lie in memory as this package sees them: "STRUCT SIZE" and "STRUCT.MEMBER OFFSET
// SIZE", one a line, for the tests of the binary interface.
package main

// #cgo pkg-config: mpegclient
// #include <mpegclient.h>
import "C"

import (
	"fmt"
	"reflect"
	"strings"
)

func main() {
	show("MpegClientParameterInfo", C.MpegClientParameterInfo{})
	show("MpegClientStreamInfo", C.MpegClientStreamInfo{})
	show("MpegClientStats", C.MpegClientStats{})
	show("MpegClientEvent", C.MpegClientEvent{})
	show("MpegClientError", C.MpegClientError{})
	show("MpegClientReadOptions", C.MpegClientReadOptions{})
	show("MpegClientFrameInfo", C.MpegClientFrameInfo{})
	show("MpegClientBatch", C.MpegClientBatch{})
}

// show takes the name too: that of a struct without a tag is cgo's own.
func show(name string, value any) {
	structure := reflect.TypeOf(value)
	fmt.Println(name, structure.Size())
	for index := 0; index < structure.NumField(); index++ {
		field := structure.Field(index)
		// cgo calls padding _, and puts one before a member that is a word of Go.
		if member := strings.TrimPrefix(field.Name, "_"); member != "" {
			fmt.Printf("%s.%s %d %d\n", name, member, field.Offset, field.Type.Size())
		}
	}
}
