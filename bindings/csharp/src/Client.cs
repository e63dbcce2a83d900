using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading;

namespace MpegClient
{
    /// <summary>
    /// One stream, from setup to clear. A thread of the library's own decodes it without pause into a ring of frames; Read
    /// copies the newest ones out of it whenever the caller is ready. A live stream that is lost is connected again.
    /// </summary>
    /// <remarks>
    /// Every method may be called on any thread at any time, also on the same client. Setup and Start do not wait for
    /// another thread's call in progress: they fail with Status.Busy. Failures are <see cref="MpegClientException"/>s;
    /// a call whose CancellationToken is cancelled throws OperationCanceledException, one of a client that is disposed of
    /// ObjectDisposedException. What a call means, waits for and may return is said in full in mpegclient.h.
    /// </remarks>
    public sealed class Client : IDisposable
    {
        // That a client keeps, whatever the parameter cache_size is: the library refuses to lend more.
        private const uint MostFrames = 4096;

        private readonly ClientHandle handle = Native.mpegclient_new();

        /// <summary>Makes a client in the state Idle, with every parameter at its default.</summary>
        public Client()
        {
            if (handle.IsInvalid)
                throw MpegClientException.OfThisThread();
        }

        /// <summary>
        /// Clears the client and frees it. Calls in progress on other threads end with Status.Interrupted; the last one
        /// frees it.
        /// </summary>
        public void Dispose()
        {
            if (handle.IsClosed)
                return;
            try
            {
                Native.mpegclient_interrupt(handle, 1);
            }
            catch (ObjectDisposedException)
            {
                // Another thread was faster.
            }
            handle.Dispose();
        }

        /// <summary>Sets a parameter from text, such as "frame_rate" from "5/1". Most count at the next setup.</summary>
        public void SetParameter(string key, string value) =>
            Calls.Check(Native.mpegclient_set_parameter(handle, Utf8.ToC(key, nameof(key)), Utf8.ToC(value, nameof(value))));

        /// <summary>Sets a parameter from a whole number.</summary>
        public void SetParameter(string key, long value) =>
            Calls.Check(Native.mpegclient_set_parameter_int(handle, Utf8.ToC(key, nameof(key)), value));

        /// <summary>Gives a parameter's value as text: the one set, or its default.</summary>
        public string GetParameter(string key)
        {
            var name = Utf8.ToC(key, nameof(key));
            return Utf8.Read((byte[] buffer, UIntPtr size, out UIntPtr needed) =>
                Native.mpegclient_get_parameter(handle, name, buffer, size, out needed));
        }

        /// <summary>
        /// Connects to a stream and finds its video. The URL is any address that libavformat opens, or a path; null: the
        /// parameter url. The time is that of the parameter setup_timeout, or shorter where one is given; TimeSpan.Zero:
        /// return at once and connect in the background, again and again if need be. On failure nothing keeps running,
        /// the state is Idle, and the exception tells the phase.
        /// </summary>
        public void Setup(string url = null, TimeSpan? timeout = null, CancellationToken cancellation = default(CancellationToken))
        {
            var address = url == null ? null : Utf8.ToC(url, nameof(url));
            long milliseconds = Time.Milliseconds(timeout ?? Timeout.InfiniteTimeSpan, nameof(timeout));
            Calls.Wait(cancellation, cancel => Native.mpegclient_setup(handle, address, milliseconds, cancel));
        }

        /// <summary>
        /// Decodes and puts frames into the ring from the present on; does nothing if it does so already. After Terminate
        /// a live stream is connected again in the background; a file goes on where it was.
        /// </summary>
        public void Start() => Calls.Check(Native.mpegclient_start(handle));

        /// <summary>Stops decoding and disconnects a live stream, within half a second; its last frames stay readable.</summary>
        public void Terminate() => Calls.Check(Native.mpegclient_terminate(handle));

        /// <summary>Terminates, closes the stream and gives its frames up, within half a second; the parameters stay.</summary>
        public void Clear() => Calls.Check(Native.mpegclient_clear(handle));

        /// <summary>Ends every waiting call with Status.Interrupted, and those to come for as long as it is on.</summary>
        public void Interrupt(bool on) => Calls.Check(Native.mpegclient_interrupt(handle, on ? 1 : 0));

        /// <summary>Where the client stands.</summary>
        public State State
        {
            get
            {
                Calls.Check(Native.mpegclient_state(handle, out int state));
                return (State)state;
            }
        }

        /// <summary>What is known of the stream; Status.BadState while nothing has been connected since setup.</summary>
        public StreamInfo StreamInfo()
        {
            var info = new StreamInfo { StructSize = (uint)Marshal.SizeOf<StreamInfo>() };
            Calls.Check(Native.mpegclient_stream_info(handle, ref info));
            return info;
        }

        /// <summary>The counters.</summary>
        public Stats Stats()
        {
            var stats = new Stats { StructSize = (uint)Marshal.SizeOf<Stats>() };
            Calls.Check(Native.mpegclient_stats(handle, ref stats));
            return stats;
        }

        /// <summary>The last failure of the stream, those in the background included; null if nothing has failed yet.</summary>
        public Failure? LastFailure()
        {
            var failure = new Failure { StructSize = (uint)Marshal.SizeOf<Failure>() };
            Calls.Check(Native.mpegclient_client_error(handle, ref failure));
            return failure.Status == Status.Ok ? (Failure?)null : failure;
        }

        /// <summary>Describes the client for a person: state, stream, counters, parameters that were set; no credentials.</summary>
        public string Describe() => Utf8.Read((byte[] buffer, UIntPtr size, out UIntPtr needed) =>
            Native.mpegclient_describe(handle, buffer, size, out needed));

        /// <summary>Takes the oldest event that nobody has taken yet; null if there is none. At most 64 wait.</summary>
        public Event? NextEvent()
        {
            var next = new Event { StructSize = (uint)Marshal.SizeOf<Event>() };
            int status = Native.mpegclient_next_event(handle, ref next);
            if (status == (int)Status.NoEvent)
                return null;
            Calls.Check(status);
            return next;
        }

        /// <summary>
        /// A descriptor for poll and epoll: readable while an event waits, or a frame newer than the one told to
        /// ArmEvents is there. Only poll it; it is the client's.
        /// </summary>
        public int EventDescriptor
        {
            get
            {
                Calls.Check(Native.mpegclient_event_fd(handle, out int descriptor));
                return descriptor;
            }
        }

        /// <summary>Has the descriptor become readable once a newer frame is there; ulong.MaxValue, as at first: for none.</summary>
        public void ArmEvents(ulong afterSeq) => Calls.Check(Native.mpegclient_event_arm(handle, afterSeq));

        /// <summary>
        /// The shape of the frames, fixed from setup to clear. Waits for the first frame if need be; null: for the
        /// parameter read_timeout.
        /// </summary>
        public Shape OutputShape(TimeSpan? timeout = null, CancellationToken cancellation = default(CancellationToken))
        {
            uint height = 0, width = 0, channels = 0;
            long milliseconds = ReadTimeout(timeout);
            Calls.Wait(cancellation, cancel => Native.mpegclient_output_shape(
                handle, milliseconds, cancel, out height, out width, out channels, out UIntPtr _));
            return new Shape(height, width, channels);
        }

        /// <summary>Waits for a frame newer than afterSeq and gives the number of the newest.</summary>
        public ulong Wait(
            ulong afterSeq = 0, TimeSpan? timeout = null, CancellationToken cancellation = default(CancellationToken))
        {
            ulong newest = 0;
            long milliseconds = ReadTimeout(timeout);
            Calls.Wait(cancellation, cancel => Native.mpegclient_wait(handle, afterSeq, milliseconds, cancel, out newest));
            return newest;
        }

        /// <summary>
        /// Waits until one of several clients has a frame newer than the number given for it, and returns its place. Where
        /// several have one, that is the client that was returned least recently: a slow caller gets all of them in turn.
        /// null: for the first client's parameter read_timeout.
        /// </summary>
        public static int WaitAny(
            IReadOnlyList<Client> clients, IReadOnlyList<ulong> afterSeqs, TimeSpan? timeout = null,
            CancellationToken cancellation = default(CancellationToken))
        {
            if (clients.Count == 0 || clients.Count != afterSeqs.Count)
                throw new ArgumentException("expected one number for each client, of which there is one or more", nameof(afterSeqs));
            long milliseconds = clients[0].ReadTimeout(timeout);
            var pointers = new IntPtr[clients.Count];
            var numbers = new ulong[clients.Count];
            int held = 0;
            UIntPtr place = UIntPtr.Zero;
            try
            {
                for (; held < pointers.Length; held++)
                {
                    bool isHeld = false;
                    clients[held].handle.DangerousAddRef(ref isHeld);
                    pointers[held] = clients[held].handle.DangerousGetHandle();
                    numbers[held] = afterSeqs[held];
                }
                Calls.Wait(cancellation, cancel => Native.mpegclient_wait_any(
                    pointers, numbers, new UIntPtr((uint)pointers.Length), milliseconds, cancel, out place));
            }
            finally
            {
                while (held > 0)
                    clients[--held].handle.DangerousRelease();
            }
            return (int)place;
        }

        /// <summary>What is known by now of a frame that is still in the ring, else Status.NoFrame.</summary>
        public unsafe FrameInfo FrameInfo(ulong seq)
        {
            FrameInfo info;
            Calls.Check(Native.mpegclient_frame_info(handle, seq, &info, new UIntPtr((uint)sizeof(FrameInfo))));
            return info;
        }

        /// <summary>The newest frames, so many.</summary>
        public Batch ReadLatest(int count, CancellationToken cancellation = default(CancellationToken)) =>
            Read(new ReadOptions { Count = count }, cancellation);

        /// <summary>
        /// Copies frames out of the ring. Waits until as many exist as are asked for, then gives what there is: fewer if
        /// fewer exist when the time runs out or the stream is no longer living. Status.Timeout: there is no frame, but
        /// the stream lives.
        /// </summary>
        public Batch Read(ReadOptions options = null, CancellationToken cancellation = default(CancellationToken))
        {
            var asked = NativeOptions(options ?? new ReadOptions());
            var deadline = Environment.TickCount + (int)Math.Min(asked.TimeoutMs, int.MaxValue);
            byte[] data = null;
            FrameInfo[] infos = null;
            while (true)
            {
                int status = Extract(data, infos, ref asked, cancellation, out BatchInfo info);
                if (status == (int)Status.Ok)
                {
                    // Fewer frames may have come than were asked for.
                    Array.Resize(ref data, checked((int)(info.FrameStride * info.Count)));
                    Array.Resize(ref infos, (int)info.Count);
                    return new Batch(data, infos, info);
                }
                // Nothing is allocated until the library has accepted the count and told the size.
                data = new byte[info.BufferNeeded];
                infos = new FrameInfo[asked.Count];
                if (asked.TimeoutMs > 0)
                    asked.TimeoutMs = Math.Max(0, deadline - Environment.TickCount);
            }
        }

        /// <summary>
        /// Copies frames into memory of the caller's, with room for the count asked for. So must infos have, unless it is
        /// empty. Else as Read.
        /// </summary>
        public BatchInfo ReadInto(
            Span<byte> buffer, Span<FrameInfo> infos, ReadOptions options = null,
            CancellationToken cancellation = default(CancellationToken))
        {
            var asked = NativeOptions(options ?? new ReadOptions());
            if (!infos.IsEmpty && infos.Length < asked.Count)
                throw new ArgumentException($"expected none, or room for {asked.Count} frames", nameof(infos));
            int status = Extract(buffer, infos, ref asked, cancellation, out BatchInfo info);
            Calls.Check(status);
            return info;
        }

        /// <summary>Read without copying. The lease is to be disposed of.</summary>
        public unsafe Lease Acquire(ReadOptions options = null, CancellationToken cancellation = default(CancellationToken))
        {
            var asked = NativeOptions(options ?? new ReadOptions());
            var batch = new BatchInfo { StructSize = (uint)sizeof(BatchInfo) };
            var infos = new FrameInfo[Math.Min(asked.Count, MostFrames)];
            Lease lease = null;
            fixed (FrameInfo* places = infos)
            {
                IntPtr elements = (IntPtr)places;
                Calls.Wait(cancellation, cancel =>
                {
                    asked.Cancel = cancel.DangerousGetHandle();
                    int status = Native.mpegclient_acquire_frames(
                        handle, ref asked, out lease, (FrameInfo*)elements, new UIntPtr((uint)sizeof(FrameInfo)), ref batch);
                    GC.KeepAlive(cancel);
                    return status;
                });
            }
            Array.Resize(ref infos, (int)batch.Count);
            lease.Infos = infos;
            lease.Info = batch;
            return lease;
        }

        /// <summary>Gives Ok or BufferTooSmall and throws for all else.</summary>
        private unsafe int Extract(
            Span<byte> buffer, Span<FrameInfo> infos, ref NativeReadOptions asked, CancellationToken cancellation,
            out BatchInfo info)
        {
            var options = asked;
            var batch = new BatchInfo { StructSize = (uint)sizeof(BatchInfo) };
            int outcome = (int)Status.Ok;
            fixed (byte* bytes = &MemoryMarshal.GetReference(buffer))
            fixed (FrameInfo* places = &MemoryMarshal.GetReference(infos))
            {
                // Pinned until the call has returned; the function below cannot name what `fixed` declares.
                IntPtr data = (IntPtr)bytes, elements = (IntPtr)places;
                var size = new UIntPtr((uint)buffer.Length);
                Calls.Wait(cancellation, cancel =>
                {
                    // The call keeps the token alive: it is given to nothing else here.
                    options.Cancel = cancel.DangerousGetHandle();
                    outcome = Native.mpegclient_extract_frames(
                        handle, ref options, (byte*)data, size, (FrameInfo*)elements, new UIntPtr((uint)sizeof(FrameInfo)),
                        ref batch);
                    GC.KeepAlive(cancel);
                    return outcome == (int)Status.BufferTooSmall ? (int)Status.Ok : outcome;
                });
            }
            info = batch;
            return outcome;
        }

        private NativeReadOptions NativeOptions(ReadOptions options)
        {
            int count = options.Count != 0 ? options.Count : (int)Number("read_size");
            if (count < 0)
                throw new ArgumentOutOfRangeException(nameof(options.Count), count, "expected 0 or more");
            return new NativeReadOptions
            {
                StructSize = (uint)Marshal.SizeOf<NativeReadOptions>(),
                Order = options.Order,
                Count = (uint)count,
                Flags = options.MixGenerations ? ReadFlags.MixGenerations : 0,
                AfterSeq = options.AfterSeq,
                TimeoutMs = ReadTimeout(options.Timeout),
                MaxAgeMs = options.MaxAge == null ? 0 : Time.Milliseconds(options.MaxAge.Value, nameof(options.MaxAge)),
            };
        }

        private long ReadTimeout(TimeSpan? timeout) =>
            timeout == null ? Number("read_timeout") : Time.Milliseconds(timeout.Value, nameof(timeout));

        private long Number(string key) => long.Parse(GetParameter(key), CultureInfo.InvariantCulture);
    }
}
