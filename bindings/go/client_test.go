package mpegclient_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"mpegclient"
)

// Longer than anything takes on a loaded machine.
const patience = 20 * time.Second

// setting is an address that the test's surroundings have to give: those of an RTSP server that sends 320x240 at 25
// frames a second, of one that accepts connections and never says a word, of a port where nothing listens.
func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set; `cargo test --test bindings` starts the servers and runs these tests", name)
	}
	return value
}

func stream(t *testing.T) string { return setting(t, "MPEGCLIENT_TEST_URL") }
func mute(t *testing.T) string   { return setting(t, "MPEGCLIENT_TEST_MUTE_URL") }

// made gives a client with parameters, one "key=value" each, that is closed with the test.
func made(t *testing.T, parameters ...string) *mpegclient.Client {
	t.Helper()
	client, err := mpegclient.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	for _, parameter := range parameters {
		key, value, _ := strings.Cut(parameter, "=")
		must(t, client.SetParameter(key, value))
	}
	return client
}

// running gives a client that shows the server's stream.
func running(t *testing.T, parameters ...string) *mpegclient.Client {
	t.Helper()
	client := made(t, parameters...)
	must(t, client.Setup(context.Background(), stream(t)))
	must(t, client.Start())
	return client
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, err error, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Fatalf("%v, expected: %v", err, wanted)
	}
}

func TestReadGivesTheNewestFramesWithWhatIsKnownOfEach(t *testing.T) {
	t.Parallel()
	client := running(t, "width=160", "height=120", "cache_size=12", "read_size=3")
	batch, err := client.Read(context.Background(), mpegclient.ReadOptions{Timeout: patience})
	must(t, err)
	if batch.Count() != 3 || batch.Shape != (mpegclient.Shape{Height: 120, Width: 160, Channels: 3}) {
		t.Fatalf("%d frames of %v", batch.Count(), batch.Shape)
	}
	if len(batch.Data) != 3*120*160*3 || len(batch.Frame(2)) != 120*160*3 {
		t.Fatalf("%d bytes, %d of a frame", len(batch.Data), len(batch.Frame(2)))
	}
	if bytes.Count(batch.Data, batch.Data[:1]) == len(batch.Data) {
		t.Fatal("the picture is empty")
	}
	if batch.NewestAge < 0 || batch.NewestAge > patience || batch.Generation != 1 || batch.MixedGenerations {
		t.Fatalf("%+v", batch.NewestAge)
	}
	for index, info := range batch.Infos {
		if info.Seq != batch.FirstSeq+uint64(index) || info.SourceWidth != 320 || info.SourceHeight != 240 {
			t.Fatalf("frame %d: %+v", index, info)
		}
		if age := time.Since(info.ArrivalTime); age < 0 || age > patience || info.PTS == mpegclient.UnknownTime {
			t.Fatalf("frame %d: %+v", index, info)
		}
	}
	known, err := client.FrameInfo(batch.LastSeq())
	must(t, err)
	if newest := batch.Infos[2]; known.Seq != newest.Seq || known.PTS != newest.PTS {
		t.Fatalf("%+v, read with %+v", known, newest)
	}
	_, err = client.FrameInfo(math.MaxUint64)
	expect(t, err, mpegclient.ErrNoFrame)
}

func TestReadIntoUsesMemoryAgainAndReadsOn(t *testing.T) {
	t.Parallel()
	client := running(t, "cache_size=25")
	var batch mpegclient.Batch
	options := mpegclient.ReadOptions{Order: mpegclient.Next, Count: 2, Timeout: patience}
	must(t, client.ReadInto(context.Background(), &batch, options))
	memory := &batch.Data[0]
	for range [4]int{} {
		options.AfterSeq = batch.LastSeq()
		must(t, client.ReadInto(context.Background(), &batch, options))
		if batch.FirstSeq != options.AfterSeq+1 || batch.Count() != 2 {
			t.Fatalf("%d frames from %d after %d", batch.Count(), batch.FirstSeq, options.AfterSeq)
		}
	}
	if &batch.Data[0] != memory {
		t.Fatal("new memory was taken")
	}
	options.Count = 3
	must(t, client.ReadInto(context.Background(), &batch, options))
	if batch.Count() != 3 || len(batch.Data) != 3*240*320*3 {
		t.Fatalf("%d frames in %d bytes", batch.Count(), len(batch.Data))
	}
}

func TestALeaseShowsTheRingItselfUntilItIsReleased(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	client := running(t, "cache_size=12")
	lease, err := client.Acquire(ctx, mpegclient.ReadOptions{Count: 3, Timeout: patience})
	must(t, err)
	before := append([]byte{}, lease.Frame(2)...)
	if lease.Count() != 3 || len(before) != 240*320*3 || lease.Infos[2].Seq != lease.LastSeq() {
		t.Fatalf("%d frames, %d bytes of the last, %+v", lease.Count(), len(before), lease.Infos)
	}
	if picture := lease.Image(2); picture.At(1, 1) != (color.RGBA{before[963], before[964], before[965], 0xff}) {
		t.Fatalf("%v", picture.At(1, 1))
	}
	if counters, err := client.Stats(); err != nil || counters.Leases != 1 || counters.OldestLeaseAge <= 0 {
		t.Fatalf("%+v, %v", counters, err)
	}
	// Until the ring has gone round, and beyond the client.
	_, err = client.Wait(ctx, lease.LastSeq()+24, patience)
	must(t, err)
	must(t, client.Close())
	if !bytes.Equal(lease.Frame(2), before) {
		t.Fatal("the frames changed")
	}
	lease.Release()
	lease.Release()
	if lease.Data != nil {
		t.Fatal("the memory can still be reached")
	}

	client = running(t)
	for _, count := range []int{9, 4096, 1 << 30} { // cache_size is 8
		_, err = client.Acquire(ctx, mpegclient.ReadOptions{Count: count})
		expect(t, err, mpegclient.ErrInvalidArgument)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	_, err = client.Acquire(short, mpegclient.ReadOptions{AfterSeq: math.MaxUint64 - 1, Timeout: mpegclient.NoLimit})
	expect(t, err, context.DeadlineExceeded)
}

func TestImagesShowThePixels(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, format := range []string{"rgb24", "bgr24", "rgba", "gray8"} {
		client := running(t, "pixel_format="+format)
		batch, err := client.ReadLatest(ctx, 1)
		must(t, err)
		picture := batch.Image(0)
		if picture.Bounds() != image.Rect(0, 0, 320, 240) {
			t.Fatalf("%s: %v", format, picture.Bounds())
		}
		const x, y = 200, 100
		pixel := batch.Frame(0)[(y*320+x)*batch.Channels:][:batch.Channels]
		wanted := map[string]func() color.Color{
			"rgb24": func() color.Color { return color.RGBA{pixel[0], pixel[1], pixel[2], 0xff} },
			"bgr24": func() color.Color { return color.RGBA{pixel[2], pixel[1], pixel[0], 0xff} },
			"rgba":  func() color.Color { return color.RGBA{pixel[0], pixel[1], pixel[2], pixel[3]} },
			"gray8": func() color.Color { return color.Gray{pixel[0]} },
		}[format]()
		if got := picture.At(x, y); got != wanted {
			t.Fatalf("%s: %v, expected %v", format, got, wanted)
		}
		r, g, b, _ := wanted.RGBA()
		if deep := picture.(image.RGBA64Image).RGBA64At(x, y); uint32(deep.R) != r || uint32(deep.G) != g || uint32(deep.B) != b {
			t.Fatalf("%s: %v, expected %v %v %v", format, deep, r, g, b)
		}
		must(t, client.Close())
	}
}

func TestErrorsTellWhatHappened(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	client := made(t)
	err := client.Setup(ctx, setting(t, "MPEGCLIENT_TEST_REFUSED_URL"))
	expect(t, err, mpegclient.ErrRefused)
	var failure *mpegclient.Error
	if !errors.As(err, &failure) || !strings.Contains(failure.Message, "127.0.0.1") || failure.Timeout() {
		t.Fatalf("%#v", err)
	}
	if failure.Phase != mpegclient.PhaseConnect || !failure.Retryable || failure.ProtocolStatus != 0 {
		t.Fatalf("%#v", failure)
	}
	last, err := client.LastFailure()
	must(t, err)
	if last.AVCode != failure.AVCode {
		t.Fatalf("%d, %d", last.AVCode, failure.AVCode)
	}
	if last.Status != mpegclient.ErrRefused || last.Phase != mpegclient.PhaseConnect || time.Since(last.Time) > patience {
		t.Fatalf("%+v", last)
	}
	expect(t, client.Setup(ctx, "/no/such/file"), mpegclient.ErrNotFound)
	err = client.Start()
	expect(t, err, mpegclient.ErrBadState)
	if !errors.As(err, &failure) || failure.Phase != mpegclient.PhaseNone { // it is the call's, not the stream's
		t.Fatalf("%#v", err)
	}
	expect(t, client.SetParameter("widht", "1"), mpegclient.ErrUnknownParameter)
	expect(t, client.SetParameter("width", "1\x00"), mpegclient.ErrInvalidArgument)
	expect(t, client.SetParameterInt("width", -1), mpegclient.ErrInvalidArgument)
	_, err = client.Read(ctx, mpegclient.ReadOptions{Count: -1})
	expect(t, err, mpegclient.ErrInvalidArgument)
	_, err = client.StreamInfo()
	expect(t, err, mpegclient.ErrBadState)
	if mpegclient.ErrRefused.Error() == mpegclient.ErrNotFound.Error() || errors.Is(err, mpegclient.ErrRefused) {
		t.Fatal("statuses are mixed up")
	}
}

// Each goroutine's errors have its own words, however the runtime moves goroutines among threads.
func TestErrorTextsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for _, name := range []string{"one", "two", "three", "four", "five", "six", "seven", "eight"} {
		client, name := made(t), "parameter_"+name
		group.Add(1)
		go func() {
			defer group.Done()
			for range [500]int{} {
				if err := client.SetParameter(name, "1"); err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%v does not name %s", err, name)
					return
				}
			}
		}()
	}
	group.Wait()
}

func TestAContextEndsEveryCallThatWaits(t *testing.T) {
	t.Parallel()
	waiting := running(t)
	idle := made(t)
	calls := map[string]func(ctx context.Context) error{
		"Setup": func(ctx context.Context) error { return idle.Setup(ctx, mute(t)) },
		"Wait": func(ctx context.Context) error {
			_, err := waiting.Wait(ctx, math.MaxUint64-1, mpegclient.NoLimit)
			return err
		},
		"Read": func(ctx context.Context) error {
			_, err := waiting.Read(ctx, mpegclient.ReadOptions{AfterSeq: math.MaxUint64 - 1, Timeout: mpegclient.NoLimit})
			return err
		},
		"WaitAny": func(ctx context.Context) error {
			clients, numbers := []*mpegclient.Client{waiting, waiting}, []uint64{math.MaxUint64 - 1, math.MaxUint64 - 1}
			_, err := mpegclient.WaitAny(ctx, clients, numbers, mpegclient.NoLimit)
			return err
		},
	}
	for name, call := range calls {
		ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
		begun := time.Now()
		err := call(ctx)
		cancel()
		expect(t, err, mpegclient.ErrCancelled)
		expect(t, err, context.DeadlineExceeded)
		if errors.Is(err, context.Canceled) || time.Since(begun) > patience {
			t.Fatalf("%s: %v after %v", name, err, time.Since(begun))
		}

		ctx, cancel = context.WithCancel(context.Background())
		time.AfterFunc(150*time.Millisecond, cancel)
		expect(t, call(ctx), context.Canceled)
		expect(t, call(ctx), context.Canceled) // it has ended before the call
	}
	if _, err := waiting.ReadLatest(context.Background(), 1); err != nil {
		t.Fatalf("the stream took harm: %v", err)
	}
}

func TestTimesAreTheCallersOrTheParameters(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	client := running(t, "read_timeout=100")
	_, err := client.Wait(ctx, math.MaxUint64-1, 0)
	expect(t, err, mpegclient.ErrTimeout)
	var failure *mpegclient.Error
	if !errors.As(err, &failure) || !failure.Timeout() {
		t.Fatalf("%v is no timeout", err)
	}
	_, err = client.Read(ctx, mpegclient.ReadOptions{AfterSeq: math.MaxUint64 - 1, Timeout: mpegclient.NoWait})
	expect(t, err, mpegclient.ErrTimeout)
	if seq, err := client.Wait(ctx, 0, patience); err != nil || seq == 0 {
		t.Fatalf("%d, %v", seq, err)
	}
}

func TestCloseEndsCallsInProgressAndRefusesLaterOnes(t *testing.T) {
	t.Parallel()
	client := running(t)
	results := make(chan error)
	for range [4]int{} {
		go func() {
			_, err := client.Wait(context.Background(), math.MaxUint64-1, mpegclient.NoLimit)
			results <- err
		}()
	}
	time.Sleep(100 * time.Millisecond)
	must(t, client.Close())
	for range [4]int{} {
		expect(t, <-results, mpegclient.ErrInterrupted)
	}
	must(t, client.Close())
	expect(t, client.Start(), mpegclient.ErrBadState)
	_, err := mpegclient.WaitAny(context.Background(), []*mpegclient.Client{client}, []uint64{0}, patience)
	expect(t, err, mpegclient.ErrBadState)
}

func TestInterruptIsALevel(t *testing.T) {
	t.Parallel()
	client := running(t)
	must(t, client.Interrupt(true))
	_, err := client.Wait(context.Background(), math.MaxUint64-1, mpegclient.NoLimit)
	expect(t, err, mpegclient.ErrInterrupted)
	must(t, client.Interrupt(false))
	_, err = client.Wait(context.Background(), 0, patience)
	must(t, err)
}

func TestAStreamsLifeAndWhatIsKnownOfIt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	client := made(t)
	must(t, client.SetParameterInt("width", 64))
	if value, err := client.Parameter("width"); err != nil || value != "64" {
		t.Fatalf("%q, %v", value, err)
	}
	must(t, client.SetupInBackground(stream(t)))
	must(t, client.Start())
	shape, err := client.OutputShape(ctx, patience)
	must(t, err)
	if shape != (mpegclient.Shape{Height: 48, Width: 64, Channels: 3}) {
		t.Fatalf("%v", shape)
	}
	place, err := mpegclient.WaitAny(ctx, []*mpegclient.Client{client, client}, []uint64{math.MaxUint64 - 1, 0}, patience)
	if err != nil || place != 1 {
		t.Fatalf("place %d, %v", place, err)
	}
	info, err := client.StreamInfo()
	must(t, err)
	if info.Codec != "h264" || info.Container != "rtsp" || info.Width != 320 || info.Height != 240 || !info.IsLive {
		t.Fatalf("%+v", info)
	}
	counters, err := client.Stats()
	must(t, err)
	if counters.NewestSeq == 0 || counters.Connects != 1 || counters.Bytes == 0 {
		t.Fatalf("%+v", counters)
	}
	if text, err := client.Describe(); err != nil || !strings.Contains(text, "h264") {
		t.Fatalf("%q, %v", text, err)
	}
	if last, err := client.LastFailure(); err != nil || last != nil {
		t.Fatalf("%+v, %v", last, err)
	}
	must(t, client.Terminate())
	if state, err := client.State(); err != nil || state != mpegclient.StateStopped || state.String() == "" {
		t.Fatalf("%v, %v", state, err)
	}
	must(t, client.Clear())
	expect(t, client.Start(), mpegclient.ErrBadState)
}

func TestEventsTellWhatHappened(t *testing.T) {
	t.Parallel()
	client := running(t)
	_, err := client.Wait(context.Background(), 0, patience)
	must(t, err)
	if descriptor, err := client.EventFD(); err != nil || descriptor < 0 {
		t.Fatalf("%d, %v", descriptor, err)
	}
	must(t, client.ArmEvents(0))
	states := []mpegclient.State{}
	for {
		event, err := client.NextEvent()
		must(t, err)
		if event == nil {
			break
		}
		if event.Kind == mpegclient.EventStateChanged {
			states = append(states, event.State)
		}
	}
	if len(states) < 2 || states[len(states)-1] != mpegclient.StateRunning {
		t.Fatalf("%v", states)
	}
}

func TestTheLibraryTellsOfItself(t *testing.T) {
	t.Parallel()
	if mpegclient.Version() == "" || mpegclient.VersionNumber() == 0 || !strings.Contains(mpegclient.BuildInfo(), "avcodec") {
		t.Fatalf("%q %d %q", mpegclient.Version(), mpegclient.VersionNumber(), mpegclient.BuildInfo())
	}
	if mpegclient.ABIVersion() < mpegclient.HeaderABIVersion {
		t.Fatalf("the library is older than the header: %d", mpegclient.ABIVersion())
	}
	table, err := mpegclient.ParameterInfos()
	must(t, err)
	for _, row := range table {
		if row.Key == "width" && row.Kind == mpegclient.ParameterInteger && row.Default == "0" && row.Help != "" {
			return
		}
	}
	t.Fatalf("no width in %+v", table)
}

func TestLogLinesComeToAFunction(t *testing.T) {
	t.Parallel()
	lines := make(chan string, 1000)
	must(t, mpegclient.SetLogFunc(func(_ mpegclient.LogLevel, line string) {
		select {
		case lines <- line:
		default:
		}
	}))
	must(t, mpegclient.SetLogLevel(mpegclient.LogInfo))
	running(t)
	must(t, mpegclient.SetLogLevel(mpegclient.LogQuiet))
	must(t, mpegclient.SetLogFunc(nil))
	select {
	case line := <-lines:
		if line == "" {
			t.Fatal("an empty line")
		}
	case <-time.After(patience):
		t.Fatal("no line came")
	}
	expect(t, mpegclient.SetLogLevel(77), mpegclient.ErrInvalidArgument)
}
