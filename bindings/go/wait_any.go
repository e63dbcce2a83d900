package mpegclient

// #include <mpegclient.h>
import "C"

import (
	"context"
	"fmt"
	"time"
)

// WaitAny waits until one of several clients has a frame newer than the number given for it, and returns its place. Where
// several have one, that is the client that was returned least recently: a slow caller gets all of them in turn. The timeout 0 stands for the first client's parameter read_timeout.
func WaitAny(ctx context.Context, clients []*Client, afterSeqs []uint64, timeout time.Duration) (int, error) {
	if len(clients) == 0 || len(clients) != len(afterSeqs) {
		return 0, invalid("afterSeqs", fmt.Sprintf("%d numbers for %d clients", len(afterSeqs), len(clients)),
			"one number for each client, of which there is one or more")
	}
	timeout, err := clients[0].readTimeout(timeout)
	if err != nil {
		return 0, err
	}
	pointers := make([]*C.MpegClient, len(clients))
	numbers := make([]C.uint64_t, len(clients))
	for index, client := range clients {
		if err := client.handle.enter(); err != nil {
			return 0, err
		}
		defer client.handle.calls.Done()
		pointers[index] = client.handle.pointer
		numbers[index] = C.uint64_t(afterSeqs[index])
	}
	var place C.size_t
	err = blocking(ctx, func(token *C.MpegClientCancel) C.int32_t {
		return C.mpegclient_wait_any(&pointers[0], &numbers[0], C.size_t(len(pointers)), limit(timeout), token, &place)
	})
	return int(place), err
}
