package mpegclient

// #include <mpegclient.h>
import "C"

import (
	"context"
	"sync/atomic"
	"unsafe"
)

// The most frames that a client keeps, whatever the parameter cache_size is: the library refuses to lend more.
const mostFrames = 4096

// Lease is frames that are read where they lie in the ring, without copying. They do not change while it is held, whatever
// becomes of the client, and must not be written to. A lease holds no one up; what it costs is memory, until Release.
type Lease struct {
	Frames

	pointer atomic.Pointer[C.MpegClientLease]
}

// Acquire is Read without copying. The lease is to be released; the garbage collector does not, because it cannot see
// who still reads the frames.
func (c *Client) Acquire(ctx context.Context, options ReadOptions) (*Lease, error) {
	asked, err := c.readOptions(options)
	if err != nil {
		return nil, err
	}
	infos := make([]C.MpegClientFrameInfo, mostFrames)
	if asked.count < mostFrames {
		infos = infos[:asked.count]
	}
	got := C.MpegClientBatch{struct_size: C.sizeof_MpegClientBatch}
	var pointer *C.MpegClientLease
	err = c.handle.wait(ctx, func(client *C.MpegClient, token *C.MpegClientCancel) C.int32_t {
		asked.cancel = token
		return C.mpegclient_acquire_frames(client, asked, &pointer, &infos[0], C.sizeof_MpegClientFrameInfo, &got)
	})
	if err != nil {
		return nil, err
	}
	lease := new(Lease)
	lease.pointer.Store(pointer)
	lease.describe(&got, infos)
	frame := lease.Height * lease.Width * lease.Channels
	lease.Data = unsafe.Slice((*byte)(unsafe.Pointer(got.data)), lease.FrameStride*(lease.Count()-1)+frame)
	return lease, nil
}

// Release gives the frames back, after which nothing may read them any more; it does nothing the second time. Leases may
// be released in any order, on any goroutine, and after the client is closed.
func (l *Lease) Release() {
	if pointer := l.pointer.Swap(nil); pointer != nil {
		l.Data = nil
		C.mpegclient_lease_release(pointer)
	}
}
