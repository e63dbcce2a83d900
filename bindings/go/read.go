package mpegclient

// #include <mpegclient.h>
import "C"

import (
	"context"
	"math"
	"time"
	"unsafe"
)

// Shape is that of one frame: Height rows of Width pixels of Channels bytes.
type Shape struct {
	Height, Width, Channels int
}

// ReadOptions tells what to read. As it is: the newest frames, as many as the parameter read_size says, waiting for the
// parameter read_timeout at most.
type ReadOptions struct {
	Order          Order
	Count          int           // frames wanted, 1 to the parameter cache_size; 0: the parameter read_size
	AfterSeq       uint64        // only frames with a greater number; 0: any
	Timeout        time.Duration // how long to wait until Count exist; 0: the parameter read_timeout; NoLimit; NoWait
	MaxAge         time.Duration // greatest age of the newest frame since its arrival; 0: any
	MixGenerations bool          // the batch may hold frames of several connections
}

// Frames are consecutive frames, oldest first: what Batch and Lease have in common.
type Frames struct {
	// Data holds the frames, each (Height, Width, Channels) and row by row without gaps.
	Data []byte
	Shape
	PixelFormat      PixelFormat
	Infos            []FrameInfo   // one for each frame
	FrameStride      int           // bytes from one frame to the next in Data
	FirstSeq         uint64        // number of the first frame; those after it have the numbers after it
	Generation       uint64        // connection that the newest frame came over, counted from 1
	NewestAge        time.Duration // since the newest frame's packet arrived, or UnknownTime
	MixedGenerations bool          // the frames came over several connections
	IsUniform        bool          // none is missing between them, and all lie about equally far apart
	LargestGap       time.Duration // between two frames that follow each other, or UnknownTime
}

// Batch is frames in memory of the caller's own. Data is an array (Count, Height, Width, Channels), tightly packed.
type Batch struct {
	Frames

	infos []C.MpegClientFrameInfo // memory for a read to come
}

// Count is how many frames there are.
func (f *Frames) Count() int { return len(f.Infos) }

// LastSeq is the number of the newest frame, 0 if there is none; read on from here.
func (f *Frames) LastSeq() uint64 {
	if f.Count() == 0 {
		return 0
	}
	return f.FirstSeq + uint64(f.Count()) - 1
}

// Frame gives the bytes of one frame, (Height, Width, Channels). It shares the memory of Data.
func (f *Frames) Frame(index int) []byte {
	begin := index * f.FrameStride
	end := begin + f.Height*f.Width*f.Channels
	return f.Data[begin:end:end]
}

// OutputShape tells the shape of the frames, fixed from Setup to Clear. It waits for the first frame if need be.
func (c *Client) OutputShape(ctx context.Context, timeout time.Duration) (Shape, error) {
	timeout, err := c.readTimeout(timeout)
	if err != nil {
		return Shape{}, err
	}
	var height, width, channels C.uint32_t
	err = c.handle.wait(ctx, func(client *C.MpegClient, token *C.MpegClientCancel) C.int32_t {
		return C.mpegclient_output_shape(client, limit(timeout), token, &height, &width, &channels, nil)
	})
	return Shape{int(height), int(width), int(channels)}, err
}

// Wait waits for a frame newer than afterSeq and gives the number of the newest.
func (c *Client) Wait(ctx context.Context, afterSeq uint64, timeout time.Duration) (uint64, error) {
	timeout, err := c.readTimeout(timeout)
	if err != nil {
		return 0, err
	}
	var newest C.uint64_t
	err = c.handle.wait(ctx, func(client *C.MpegClient, token *C.MpegClientCancel) C.int32_t {
		return C.mpegclient_wait(client, C.uint64_t(afterSeq), limit(timeout), token, &newest)
	})
	return uint64(newest), err
}

// FrameInfo tells what is known by now of a frame that is still in the ring, else ErrNoFrame.
func (c *Client) FrameInfo(seq uint64) (FrameInfo, error) {
	var info C.MpegClientFrameInfo
	err := c.handle.do(func(client *C.MpegClient) C.int32_t {
		return C.mpegclient_frame_info(client, C.uint64_t(seq), &info, C.sizeof_MpegClientFrameInfo)
	})
	if err != nil {
		return FrameInfo{}, err
	}
	return frameInfo(&info), nil
}

// ReadLatest reads the newest frames, so many.
func (c *Client) ReadLatest(ctx context.Context, count int) (*Batch, error) {
	return c.Read(ctx, ReadOptions{Count: count})
}

// Read copies frames out of the ring. It waits until as many exist as are asked for, then gives what there is: fewer if
// fewer exist when the time runs out or the stream is no longer living. ErrTimeout: there is no frame, but the stream
// lives.
func (c *Client) Read(ctx context.Context, options ReadOptions) (*Batch, error) {
	batch := new(Batch)
	return batch, c.ReadInto(ctx, batch, options)
}

// ReadInto is Read with a batch whose memory is used again where it is large enough. After a failure the batch is to be
// read again before it is used.
func (c *Client) ReadInto(ctx context.Context, batch *Batch, options ReadOptions) error {
	asked, err := c.readOptions(options)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(time.Duration(asked.timeout_ms) * time.Millisecond)
	got := C.MpegClientBatch{struct_size: C.sizeof_MpegClientBatch}
	err = c.extract(ctx, asked, batch, &got)
	// Nothing is allocated until the library has accepted the count and told the size.
	for err != nil && err.(*Error).Status == ErrBufferTooSmall {
		batch.Data = make([]byte, got.buffer_needed)
		batch.infos = make([]C.MpegClientFrameInfo, asked.count)
		if asked.timeout_ms > 0 {
			asked.timeout_ms = remaining(deadline)
		}
		err = c.extract(ctx, asked, batch, &got)
	}
	if err != nil {
		return err
	}
	batch.Data = batch.Data[:got.frame_stride*C.uint64_t(got.count)]
	batch.describe(&got, batch.infos)
	return nil
}

// readOptions checks what the C struct has no room for, and resolves what has a default of the bindings' own.
func (c *Client) readOptions(options ReadOptions) (*C.MpegClientReadOptions, error) {
	timeout, err := c.readTimeout(options.Timeout)
	if err != nil {
		return nil, err
	}
	count := options.Count
	if count == 0 {
		if count, err = c.number("read_size"); err != nil {
			return nil, err
		}
	}
	if count < 0 || count > math.MaxInt32 {
		return nil, invalid("Count", options.Count, "1 to the parameter cache_size")
	}
	flags := C.uint32_t(0)
	if options.MixGenerations {
		flags = C.MPEGCLIENT_READ_MIX_GENERATIONS
	}
	return &C.MpegClientReadOptions{
		struct_size: C.sizeof_MpegClientReadOptions,
		order:       C.int32_t(options.Order),
		count:       C.uint32_t(count),
		flags:       flags,
		after_seq:   C.uint64_t(options.AfterSeq),
		timeout_ms:  limit(timeout),
		max_age_ms:  milliseconds(options.MaxAge),
	}, nil
}

// extract offers the memory that the batch has to the library.
func (c *Client) extract(
	ctx context.Context, asked *C.MpegClientReadOptions, batch *Batch, got *C.MpegClientBatch,
) error {
	var data *C.uint8_t
	var infos *C.MpegClientFrameInfo
	size := cap(batch.Data)
	if size == 0 || len(batch.infos) < int(asked.count) {
		size = 0
	} else {
		batch.Data = batch.Data[:size]
		data = (*C.uint8_t)(unsafe.Pointer(&batch.Data[0]))
		infos = &batch.infos[0]
	}
	return c.handle.wait(ctx, func(client *C.MpegClient, token *C.MpegClientCancel) C.int32_t {
		asked.cancel = token
		return C.mpegclient_extract_frames(
			client, asked, data, C.size_t(size), infos, C.sizeof_MpegClientFrameInfo, got)
	})
}

// describe takes over what the library says of frames, and of each of them.
func (f *Frames) describe(got *C.MpegClientBatch, infos []C.MpegClientFrameInfo) {
	f.Shape = Shape{int(got.height), int(got.width), int(got.channels)}
	f.PixelFormat = PixelFormat(got.pixel_format)
	f.FrameStride = int(got.frame_stride)
	f.FirstSeq = uint64(got.first_seq)
	f.Generation = uint64(got.generation)
	f.NewestAge = time.Duration(got.newest_age_ns)
	f.MixedGenerations = got.flags&C.MPEGCLIENT_BATCH_MIXED_GENERATIONS != 0
	f.IsUniform = got.flags&C.MPEGCLIENT_BATCH_UNIFORM != 0
	f.LargestGap = time.Duration(got.largest_gap_ns)
	f.Infos = make([]FrameInfo, got.count)
	for index := range f.Infos {
		f.Infos[index] = frameInfo(&infos[index])
	}
}

// remaining is the time until a deadline as the library takes it, 0 once it has passed.
func remaining(deadline time.Time) C.int64_t {
	if left := time.Until(deadline); left > 0 {
		return milliseconds(left)
	}
	return 0
}
